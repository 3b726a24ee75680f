/** The embedded S3 server (versitygw) on a folder. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../services/store/index.ts';
import type { Credentials } from './credentials.ts';
import { isListening } from './isListening.ts';
import type { ServiceSpec } from './service.ts';

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const MULTIPART_FOLDER = '.sgwtmp/multipart';
const IN_PROGRESS = '.inprogress';

export interface S3ServerOptions {
  readonly program: string;
  readonly port: number;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: Credentials;
  readonly dataFolder: string;
  readonly versionsFolder: string;
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
}

export function s3Server(options: S3ServerOptions): ServiceSpec {
  const endpoint = `http://127.0.0.1:${options.port}`;
  return {
    name: 's3',
    command: [
      options.program,
      '--port',
      `127.0.0.1:${options.port}`,
      '--region',
      options.region,
      '--quiet',
      'posix',
      '--versioning-dir',
      options.versionsFolder,
      options.dataFolder,
    ],
    cwd: options.dataFolder,
    // Keys by environment: a command line is readable by every user of the machine.
    env: {
      PATH: options.env['PATH'],
      HOME: options.env['HOME'],
      ROOT_ACCESS_KEY_ID: options.credentials.accessKeyId,
      ROOT_SECRET_ACCESS_KEY: options.credentials.secretAccessKey,
    },
    log: options.log,
    onOwnerDeath: 'KILL',
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    prepare: async () => {
      await mkdir(options.dataFolder, { recursive: true });
      await mkdir(options.versionsFolder, { recursive: true });
      await mendInterruptedUploads(options.dataFolder);
    },
    isReady: async () => {
      if (!(await isListening(options.port))) return false;
      const { objects } = openStore({
        endpoint,
        region: options.region,
        bucket: options.bucket,
        credentials: options.credentials,
      });
      try {
        await objects.ensureBucket({ create: true });
        return true;
      } catch {
        // Not up yet; the caller's deadline ends the waiting and shows the log.
        return false;
      } finally {
        objects.close();
      }
    },
  };
}

/**
 * A server killed inside CompleteMultipartUpload leaves the upload renamed to `*.inprogress`, and a retried Complete
 * then answers 200 without an object. Renamed back, the retry completes it. Returns how many there were.
 */
export async function mendInterruptedUploads(dataFolder: string): Promise<number> {
  let mended = 0;
  for (const bucket of await readdir(dataFolder)) {
    const uploads = join(dataFolder, bucket, MULTIPART_FOLDER);
    if (!existsSync(uploads)) continue;
    for (const object of await readdir(uploads)) {
      for (const upload of await readdir(join(uploads, object))) {
        if (!upload.endsWith(IN_PROGRESS)) continue;
        const path = join(uploads, object, upload);
        await rename(path, path.slice(0, -IN_PROGRESS.length));
        mended += 1;
      }
    }
  }
  return mended;
}
