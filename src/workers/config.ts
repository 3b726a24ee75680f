/** The worker's configuration: read once from the environment, checked, and passed down. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SecpiError } from '../contract/errors.ts';
import { describeIssues } from '../contract/parse.ts';
import type { WorkerPaths } from '../activities/deps.ts';
import { preemptionSources } from '../services/gpu/types.ts';
import type { WatchOptions } from '../services/gpu/preemption/watch.ts';
import type { StoreOptions } from '../services/store/index.ts';

export const projectDir = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export type Environment = Readonly<Record<string, string | undefined>>;

/** `auto`, `off`, or names of clouds by comma. */
const preemptionSchema = z.string().transform((text, context): WatchOptions['sources'] => {
  if (text === 'auto') return 'auto';
  const names = text === 'off' ? [] : text.split(',').map((name) => name.trim());
  const parsed = z.array(z.enum(preemptionSources)).safeParse(names);
  if (parsed.success) return parsed.data;
  context.addIssue({
    code: 'custom',
    message: `must be auto, off, or some of ${preemptionSources.join(', ')} by comma`,
  });
  return z.NEVER;
});

/** Where the kubelet mounts them, in every cluster. */
const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

const environmentSchema = z.object({
  AWS_ENDPOINT_URL_S3: z.url().optional(),
  AWS_REGION: z.string().min(1).default('us-east-1'),
  SECPI_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name')
    .default('secpi'),
  SECPI_PREFIX: z.string().default(''),
  SECPI_CACHE: z
    .string()
    .min(1)
    .default(join(homedir(), '.cache', 'secpi')),
  SECPI_STATE: z.string().min(1).default(join(projectDir, '.secpi')),
  SECPI_PYTHON: z.string().min(1).default('python3'),
  SECPI_TASK_SLOTS: z.coerce.number().int().min(1).max(1000).optional(),
  SECPI_PREEMPTION: preemptionSchema.default('auto'),
  SECPI_METADATA_URL: z.url().optional(),
  SECPI_GRACE_SECONDS: z.coerce.number().positive().max(86_400).default(30),
  SECPI_MIN_DISK_GB: z.coerce.number().nonnegative().max(1_000_000).default(10),
  KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
  KUBERNETES_SERVICE_PORT: z.coerce.number().int().min(1).max(65_535).default(443),
  POD_NAME: z.string().min(1).optional(),
  HOSTNAME: z.string().min(1).optional(),
});

export interface WorkerConfig {
  readonly store: StoreOptions;
  readonly paths: WorkerPaths;
  /** Grading and LLM activities at a time; default by the machine. */
  readonly taskSlots: number | undefined;
  readonly gpu: GpuConfig;
}

export interface GpuConfig {
  readonly preemption: Pick<WatchOptions, 'sources' | 'metadataUrl' | 'kubernetes'>;
  /** From SIGTERM, or a notice that tells no time, to the end. */
  readonly gracePeriodMs: number;
  readonly minFreeDiskBytes: number;
}

/** Throws RECIPE_INVALID naming the variable. Empty variables count as unset. */
export function readWorkerConfig(environment: Environment): WorkerConfig {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const [first] = describeIssues(parsed.error, given);
    throw new SecpiError('RECIPE_INVALID', `the environment variable ${first?.problem ?? 'does not fit'}.`, {
      field: first?.field ?? 'environment',
      remedy: 'Correct the variable and start the worker again.',
    });
  }
  const {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    SECPI_BUCKET: bucket,
    SECPI_PREFIX: prefix,
    ...rest
  } = parsed.data;
  const { KUBERNETES_SERVICE_HOST: apiHost, POD_NAME: podName = rest.HOSTNAME } = rest;
  const stateDir = resolve(rest.SECPI_STATE);
  const tempDir = join(stateDir, 'tmp');
  mkdirSync(tempDir, { recursive: true });
  return {
    // Credentials come by the SDK's own chain: variables, profile, instance role.
    store: { region, bucket, prefix, tempDir, ...(endpoint === undefined ? {} : { endpoint }) },
    paths: {
      baseDir: process.cwd(),
      cacheDir: resolve(rest.SECPI_CACHE),
      stateDir,
      pythonPath: rest.SECPI_PYTHON,
      trainerSourceDir: join(projectDir, 'trainer', 'src'),
      suiteDir: join(projectDir, 'suite'),
    },
    taskSlots: rest.SECPI_TASK_SLOTS,
    gpu: {
      preemption: {
        sources: rest.SECPI_PREEMPTION,
        ...(rest.SECPI_METADATA_URL === undefined ? {} : { metadataUrl: rest.SECPI_METADATA_URL }),
        kubernetes:
          apiHost === undefined || podName === undefined
            ? null
            : {
                apiUrl: `https://${apiHost.includes(':') ? `[${apiHost}]` : apiHost}:${rest.KUBERNETES_SERVICE_PORT}`,
                podName,
                serviceAccountDir: SERVICE_ACCOUNT_DIR,
              },
      },
      gracePeriodMs: rest.SECPI_GRACE_SECONDS * 1000,
      minFreeDiskBytes: rest.SECPI_MIN_DISK_GB * 1e9,
    },
  };
}
