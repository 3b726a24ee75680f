/** A real S3 server for tests: versitygw over a folder, on a free port of 127.0.0.1, stopped by its pid. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/services/store/index.ts';
import type { Store } from '../../src/services/store/index.ts';

export const TEST_CREDENTIALS = { accessKeyId: 'test-access', secretAccessKey: 'test-secret-key' };
export const TEST_REGION = 'us-east-1';
const START_LIMIT_MS = 15_000;

export interface TestServer {
  readonly endpoint: string;
  readonly port: number;
  /** Holds the buckets as folders and the objects as files. */
  readonly dataDir: string;
  /** A store over a new bucket of its own. */
  openStore(options?: { readonly endpoint?: string; readonly prefix?: string }): Promise<Store>;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** Starts again on the same port and data. */
  restart(): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const root = await mkdtemp(join(tmpdir(), 'secpi-store-'));
  const dataDir = join(root, 'data');
  const versionDir = join(root, 'versions');
  await mkdir(dataDir);
  await mkdir(versionDir);
  const port = await freePort();
  let child = await launch(port, dataDir, versionDir);
  let buckets = 0;
  const endpoint = `http://127.0.0.1:${port}`;

  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    endpoint,
    port,
    dataDir,
    async openStore(options = {}) {
      buckets += 1;
      const bucket = `test-${buckets}`;
      const store = openStore({
        endpoint,
        region: TEST_REGION,
        credentials: TEST_CREDENTIALS,
        bucket,
        tempDir: root,
        ...options,
      });
      await openStore({
        endpoint,
        region: TEST_REGION,
        credentials: TEST_CREDENTIALS,
        bucket,
      }).objects.ensureBucket({ create: true });
      return store;
    },
    kill,
    async restart() {
      await freeInterruptedUploads(dataDir);
      child = await launch(port, dataDir, versionDir);
    },
    async stop() {
      await kill();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function launch(port: number, dataDir: string, versionDir: string): Promise<ChildProcess> {
  const flags = ['--access', TEST_CREDENTIALS.accessKeyId, '--secret', TEST_CREDENTIALS.secretAccessKey];
  const listen = ['--port', `127.0.0.1:${port}`, '--quiet'];
  const child = spawn(binaryPath(), [...flags, ...listen, 'posix', '--versioning-dir', versionDir, dataDir], {
    stdio: 'ignore',
  });
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`versitygw did not start on port ${port} (exit code ${child.exitCode})`);
    }
    await sleep(30);
  }
  return child;
}

function binaryPath(): string {
  const cache = process.env['SECPI_CACHE'] ?? join(homedir(), '.cache', 'secpi');
  const path = join(cache, 'bin', 'versitygw');
  if (!existsSync(path))
    throw new Error(`${path} is missing: run the setup, or point SECPI_CACHE at a folder with bin/versitygw`);
  return path;
}

/**
 * versitygw renames an upload to `<id>.<token>.inprogress` while it completes it, and after a kill never finds it
 * again: the name is given back before the next start.
 */
async function freeInterruptedUploads(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory() || !entry.name.endsWith('.inprogress')) continue;
    const [uploadId = entry.name] = entry.name.split('.');
    await rename(join(entry.parentPath, entry.name), join(entry.parentPath, uploadId));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
