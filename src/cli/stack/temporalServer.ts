/** The Temporal dev server with its UI, its state in a file. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../../contract/workflows.ts';
import { isListening } from './isListening.ts';
import type { ServiceSpec } from './service.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 2000;

export interface TemporalServerOptions {
  readonly program: string;
  readonly port: number;
  readonly uiPort: number;
  readonly namespace: string;
  readonly dbFile: string;
  readonly cwd: string;
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
}

export function temporalServer(options: TemporalServerOptions): ServiceSpec {
  const address = `127.0.0.1:${options.port}`;
  const attributes = Object.entries(searchAttributes).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  // The user's own profile must not bend the embedded server's.
  const env = Object.fromEntries(
    Object.entries(options.env).filter(([name]) => !name.startsWith('TEMPORAL_')),
  );
  return {
    name: 'temporal',
    command: [
      options.program,
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(options.port),
      '--ui-port',
      String(options.uiPort),
      '--namespace',
      options.namespace,
      '--db-filename',
      options.dbFile,
      '--log-level',
      'warn',
      '--ui-disable-news-fetch',
      ...attributes,
    ],
    cwd: options.cwd,
    env,
    log: options.log,
    onOwnerDeath: 'KILL',
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    prepare: async () => {
      await mkdir(dirname(options.dbFile), { recursive: true });
    },
    isReady: async () => (await isListening(options.port)) && (await serves(address, options, env)),
  };
}

/** Answers for the namespace, with all search attributes: a database of an older version lacks the newer ones. */
async function serves(
  address: string,
  options: TemporalServerOptions,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address, connectTimeout: CONNECT_TIMEOUT_MS });
  } catch {
    // Not up yet; the caller's deadline ends the waiting.
    return false;
  }
  try {
    const missing = await missingSearchAttributes(connection, options.namespace);
    if (missing.length === 0) return true;
    await promisify(execFile)(
      options.program,
      [
        'operator',
        'search-attribute',
        'create',
        '--address',
        address,
        '--namespace',
        options.namespace,
        ...missing.flatMap((name) => ['--name', name, '--type', searchAttributes[name]]),
      ],
      { env },
    );
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

type Name = keyof typeof searchAttributes;

/** The project's search attributes that the namespace does not know. */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<Name[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(searchAttributes).filter((name): name is Name => !(name in (customAttributes ?? {})));
}
