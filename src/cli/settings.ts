/**
 * The edge: reads the environment once. What the user brings (a Temporal cluster by TEMPORAL_ADDRESS or a profile of
 * the Temporal CLI, an S3 store by AWS_ENDPOINT_URL_S3) is used and not started.
 */
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './stack/stackError.ts';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const defaultNamespace = 'default';
const DEFAULT_BUCKET = 'secpi';
const DEFAULT_REGION = 'us-east-1';

export interface ExternalTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Address, TLS and key as the Temporal CLI reads them. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

export interface ExternalS3 {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
}

export interface Settings {
  readonly root: string;
  /** The stack's state folder. */
  readonly state: string;
  /** Null: the embedded one. */
  readonly temporal: ExternalTemporal | null;
  readonly s3: ExternalS3 | null;
  /** A recorded teacher of the user's own or any other endpoint for the quick recipe; null: the embedded one. */
  readonly teacherUrl: string | null;
  /** What child processes inherit. */
  readonly env: NodeJS.ProcessEnv;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    root: projectRoot,
    state: resolve(projectRoot, env['SECPI_STATE'] || '.secpi'),
    temporal: externalTemporal(env),
    s3: externalS3(env),
    teacherUrl: env['SECPI_TEACHER_URL'] || null,
    env,
  };
}

function externalTemporal(env: NodeJS.ProcessEnv): ExternalTemporal | null {
  const defined = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
  let config: ClientConnectConfig;
  try {
    config = loadClientConnectConfig({ overrideEnvVars: defined });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StackError(
      `The Temporal CLI's configuration cannot be read: ${problem}`,
      'Correct it (`temporal config get`), or unset TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE.',
      { cause },
    );
  }
  const { address } = config.connectionOptions;
  if (address === undefined) return null;
  return {
    address,
    namespace: config.namespace ?? defaultNamespace,
    connectionOptions: config.connectionOptions,
  };
}

function externalS3(env: NodeJS.ProcessEnv): ExternalS3 | null {
  const endpoint = env['AWS_ENDPOINT_URL_S3'];
  if (!endpoint) return null;
  return {
    endpoint,
    region: env['AWS_REGION'] || DEFAULT_REGION,
    bucket: env['SECPI_BUCKET'] || DEFAULT_BUCKET,
  };
}

export const embeddedS3 = { region: DEFAULT_REGION, bucket: DEFAULT_BUCKET } as const;
