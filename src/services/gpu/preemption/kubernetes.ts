/**
 * Kubernetes: this pod is being deleted (`deletionTimestamp`: the time at which it is killed), or an eviction,
 * preemption or node shutdown has marked it (condition DisruptionTarget). Read from the API server with the pod's own
 * service account, which needs `get` on pods.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ask, expectStatus, type NoticeSource } from './source.ts';

const EVERY_MS = 3000;
const TIMEOUT_MS = 4000;

const podSchema = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ terminationGracePeriodSeconds: z.number().nonnegative().optional() }).optional(),
  status: z
    .object({
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            lastTransitionTime: z.string().nullish(),
          }),
        )
        .optional(),
    })
    .optional(),
});
/** Kubernetes' own default of terminationGracePeriodSeconds. */
const DEFAULT_GRACE_SECONDS = 30;

export interface KubernetesPlace {
  /** `https://HOST:PORT` */
  readonly apiUrl: string;
  readonly podName: string;
  /** Holds `token`, `ca.crt` and `namespace`, as the kubelet mounts and renews them. */
  readonly serviceAccountDir: string;
}

export function kubernetesSource({ apiUrl, podName, serviceAccountDir }: KubernetesPlace): NoticeSource {
  async function readPod(signal: AbortSignal): Promise<z.infer<typeof podSchema>> {
    // Read anew each time: the token is renewed every hour.
    const [token, ca, namespace] = await Promise.all(
      ['token', 'ca.crt', 'namespace'].map(async (name) =>
        (await readFile(join(serviceAccountDir, name), 'utf8')).trim(),
      ),
    );
    const url = `${apiUrl}/api/v1/namespaces/${encodeURIComponent(namespace ?? '')}/pods/${encodeURIComponent(podName)}`;
    const headers = { authorization: `Bearer ${token ?? ''}`, accept: 'application/json' };
    const answer = await ask(url, {
      headers,
      timeoutMs: TIMEOUT_MS,
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
    if (answer.status === 403)
      throw new Error(`the service account may not read its pod ${podName}: give it "get" on pods`);
    return podSchema.parse(JSON.parse(expectStatus(url, answer, 200)));
  }

  return {
    name: 'kubernetes',
    everyMs: EVERY_MS,
    isHere: async (signal) => (await readPod(signal)).metadata.name === podName,
    look: async (signal) => {
      const { metadata, spec, status } = await readPod(signal);
      const disruption = status?.conditions?.find(
        (condition) => condition.type === 'DisruptionTarget' && condition.status === 'True',
      );
      if (metadata.deletionTimestamp === undefined && disruption === undefined)
        return { notice: null, hint: null };
      const graceMs = (spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
      const deadlineMs =
        metadata.deletionTimestamp === undefined
          ? timeOf(disruption?.lastTransitionTime ?? new Date().toISOString()) + graceMs
          : timeOf(metadata.deletionTimestamp);
      return {
        notice: { from: 'kubernetes', reason: disruption?.reason ?? 'deleted', deadlineMs },
        hint: null,
      };
    },
  };
}

function timeOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new Error(`"${text}" is no time`);
  return at;
}
