/** The example manifests: they parse, and name what the worker reads. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readWorkerConfig } from '../../src/workers/config.ts';
import { parseWorkerArguments } from '../../src/workers/arguments.ts';
import { projectDir, pythonPath } from '../chain/stack.ts';

const folder = join(projectDir, 'infra/kubernetes');
const PARSE = 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))';

const documentSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string() }),
});
const deploymentSchema = z.object({
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({
        serviceAccountName: z.string(),
        terminationGracePeriodSeconds: z.number(),
        containers: z
          .array(
            z.object({
              command: z.array(z.string()),
              args: z.array(z.string()),
              env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
              volumeMounts: z.array(z.object({ name: z.string() })),
              resources: z.object({ limits: z.record(z.string(), z.union([z.string(), z.number()])) }),
            }),
          )
          .length(1),
        volumes: z.array(z.object({ name: z.string() })),
      }),
    }),
  }),
});
const roleSchema = z.object({
  rules: z.array(z.object({ resources: z.array(z.string()), verbs: z.array(z.string()) })),
});

async function documents(file: string): Promise<z.infer<typeof documentSchema>[]> {
  const { stdout } = await promisify(execFile)(pythonPath(), ['-c', PARSE, join(folder, file)]);
  return z.array(z.looseObject(documentSchema.shape)).parse(JSON.parse(stdout));
}

describe('the Kubernetes example', () => {
  it('parses, each file of it', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect((await documents(file)).length).toBeGreaterThan(0);
  });

  it('starts a worker that may read its own pod and is told of its time', async () => {
    const all = await documents('gpu-worker.yaml');
    const one = (kind: string): unknown => all.find((document) => document.kind === kind);
    expect(all.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding', 'Deployment']);
    expect(roleSchema.parse(one('Role')).rules).toEqual([{ resources: ['pods'], verbs: ['get'] }]);
    const { selector, template } = deploymentSchema.parse(one('Deployment')).spec;
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    const { spec } = template;
    expect(all.map(({ metadata }) => metadata.name)).toContain(spec.serviceAccountName);
    const [container] = spec.containers;
    const names = spec.volumes.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(container?.volumeMounts.map(({ name }) => name) ?? []));
    expect(container?.resources.limits['nvidia.com/gpu']).toBe(1);

    const words = [...(container?.command ?? []), ...(container?.args ?? [])];
    expect(parseWorkerArguments(words.slice(words.indexOf('worker') + 1)).kinds).toEqual(['gpu']);
    const env = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
    const state = await mkdtemp(join(tmpdir(), 'secpi-kubernetes-'));
    const config = readWorkerConfig({
      ...env,
      POD_NAME: 'gpu-7',
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      SECPI_STATE: state,
    });
    await rm(state, { recursive: true });
    expect(config.gpu.gracePeriodMs).toBeLessThan(spec.terminationGracePeriodSeconds * 1000);
    expect(config.gpu.preemption.kubernetes).toMatchObject({
      apiUrl: 'https://10.0.0.1:443',
      podName: 'gpu-7',
    });
  });
});
