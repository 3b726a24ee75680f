/**
 * Waits for the notice that this machine goes away. Finds out in a short probe which clouds answer, and then asks only
 * those. What hangs, fails or answers nonsense is no notice: it is told once, and asked again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../contract/errors.ts';
import type { PreemptionNotice, PreemptionSource } from '../types.ts';
import { awsSource } from './aws.ts';
import { azureSource } from './azure.ts';
import { gcpSource } from './gcp.ts';
import { kubernetesSource, type KubernetesPlace } from './kubernetes.ts';
import type { NoticeSource } from './source.ts';

/** AWS, GCP and Azure all serve instance metadata at this link-local address. */
const METADATA_URL = 'http://169.254.169.254';
/** A metadata service is one hop away: one that has not answered by then is not there. */
const PROBE_MS = 2000;
/** A machine that is busy at its start may miss the first; on none of the clouds nothing is asked any more after these. */
const PROBE_AFTER_MS = [0, 15_000, 60_000] as const;

export interface WatchOptions {
  /** `auto`: those that answer. */
  readonly sources: 'auto' | readonly PreemptionSource[];
  /** Default: `METADATA_URL`. */
  readonly metadataUrl?: string;
  /** Null outside a cluster. */
  readonly kubernetes: KubernetesPlace | null;
  /** What is left after a notice that tells no time. */
  readonly graceMs: number;
  /** Called at most once; nothing is asked afterwards. */
  readonly onNotice: (notice: PreemptionNotice) => void;
  readonly log: (level: 'INFO' | 'WARN', message: string, meta?: Record<string, unknown>) => void;
}

/** Returns at once and never throws; to be stopped by the caller. */
export function watchPreemption(options: WatchOptions): { stop(): void } {
  const stopped = new AbortController();
  const { signal } = stopped;
  const asked = chosenSources(options);
  const give = (notice: PreemptionNotice): void => {
    if (signal.aborted) return;
    stopped.abort();
    options.onNotice(notice);
  };
  const watchAll = async (): Promise<void> => {
    const sources = await asked;
    if (sources.length > 0)
      options.log(
        'INFO',
        `looking out for preemption notices of ${sources.map(({ name }) => name).join(', ')}`,
      );
    await Promise.all(sources.map(async (source) => await watchSource(source, { ...options, signal, give })));
  };
  void watchAll();
  return {
    stop: () => stopped.abort(),
  };

  async function chosenSources({ sources, ...places }: WatchOptions): Promise<NoticeSource[]> {
    const all = allSources(places);
    if (sources !== 'auto') return all.filter(({ name }) => sources.includes(name));
    for (const waitMs of PROBE_AFTER_MS) {
      await pause(waitMs, signal);
      const answered = await probe(all, signal);
      if (answered.length > 0 || signal.aborted) return answered;
    }
    return [];
  }
}

/** The sources that answer within the time of a probe. */
async function probe(sources: readonly NoticeSource[], signal: AbortSignal): Promise<NoticeSource[]> {
  const answered = await Promise.all(
    sources.map(async (source) => {
      try {
        return await source.isHere(AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]));
      } catch {
        // Nothing answers there, as on any machine of another cloud or of none.
        return false;
      }
    }),
  );
  return sources.filter((_, index) => answered[index] === true);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Stopped meanwhile: the caller sees the signal.
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

function allSources({
  metadataUrl = METADATA_URL,
  kubernetes,
  graceMs,
}: Pick<WatchOptions, 'metadataUrl' | 'kubernetes' | 'graceMs'>): NoticeSource[] {
  const url = metadataUrl.replace(/\/+$/, '');
  return [
    awsSource(url),
    gcpSource(url, graceMs),
    azureSource(url),
    ...(kubernetes === null ? [] : [kubernetesSource(kubernetes)]),
  ];
}

interface Watcher extends Pick<WatchOptions, 'log'> {
  readonly signal: AbortSignal;
  readonly give: (notice: PreemptionNotice) => void;
}

async function watchSource(source: NoticeSource, { signal, give, log }: Watcher): Promise<void> {
  let told = '';
  const tell = (message: string, meta: Record<string, unknown>): void => {
    const text = `${message} ${JSON.stringify(meta)}`;
    if (text !== told && !signal.aborted) log('WARN', message, meta);
    told = text;
  };
  while (!signal.aborted) {
    try {
      const { notice, hint } = await source.look(signal);
      if (notice !== null) return give(notice);
      if (hint === null) told = '';
      else tell(`${source.name} warns of a preemption`, { hint });
    } catch (error) {
      tell(`${source.name} tells nothing of preemptions now; it is asked again`, { error: messageOf(error) });
    }
    await pause(source.everyMs, signal);
  }
}
