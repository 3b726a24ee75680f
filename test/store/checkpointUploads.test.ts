/** Checkpoints on their way behind a training, on a real S3 server: outages, kills, damage, a full disk. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fingerprint, sha256Hex } from '../../src/services/store/index.ts';
import type { Store } from '../../src/services/store/index.ts';
import { allBlobsPrefix, blobKey } from '../../src/services/store/keys.ts';
import { startCheckpointUploads } from '../../src/services/train/checkpointUploads.ts';
import type {
  CheckpointUpload,
  CheckpointUploads,
  UploadOptions,
} from '../../src/services/train/checkpointUploads.ts';
import { startProxy } from './proxy.ts';
import type { FaultProxy } from './proxy.ts';
import { owner } from './samples.ts';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

const MIB = 1024 * 1024;
const dead = (): Promise<boolean> => Promise.resolve(false);

let server: TestServer;
let proxy: FaultProxy;
/** Through the proxy. */
let store: Store;
let fp: string;
let home: string;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
});
beforeEach(async () => {
  counter += 1;
  fp = fingerprint({ uploads: counter });
  home = join(server.dataDir, '..', `checkpoints-${counter}`);
  proxy.decide(() => 'pass');
  store = await server.openStore({ endpoint: proxy.endpoint });
  await store.trainings.claim(fp, owner('a'), dead);
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
});

/** A folder as the trainer writes it: weights of this step, and a file that never changes. */
async function written(step: number, bytes = 3000): Promise<string> {
  const dir = join(home, `step-${String(step).padStart(8, '0')}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'adapter.bin'), randomBytes(bytes));
  await writeFile(join(dir, 'config.json'), `${fp} the same in every step`);
  return dir;
}

interface Told {
  readonly published: CheckpointUpload[];
  readonly delays: [number, string][];
  readonly slow: string[];
}

let running: AbortController[] = [];
afterEach(() => {
  for (const control of running) control.abort(new Error('the test is over'));
  running = [];
});

function start(options: Partial<UploadOptions> = {}): {
  uploads: CheckpointUploads;
  told: Told;
  stop: AbortController;
} {
  const told: Told = { published: [], delays: [], slow: [] };
  const stop = new AbortController();
  running.push(stop);
  const uploads = startCheckpointUploads({
    trainings: store.trainings,
    fingerprint: fp,
    epoch: 1,
    keep: 2,
    rollbacks: 0,
    signal: stop.signal,
    onPublished: (upload) => told.published.push(upload),
    onDelay: (step, problem) => told.delays.push([step, problem]),
    onSlow: (message) => told.slow.push(message),
    ...options,
  });
  return { uploads, told, stop };
}

const offer = async (uploads: CheckpointUploads, step: number, evalLoss: number | null = null) =>
  uploads.offer({ step, dir: await written(step), evalLoss, final: false });
const steps = async (): Promise<number[]> => (await store.trainings.list(fp)).map(({ step }) => step);
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(5);
};

describe('checkpoints behind a training', () => {
  it('are published with what is new uploaded, read back, pruned, and their folders removed', async () => {
    const { uploads, told } = start();
    expect(uploads.bytesPerSecond()).toBeNull();
    for (const step of [20, 40, 60]) {
      await offer(uploads, step, 1 / step);
      await uploads.drain();
      expect(existsSync(join(home, `step-000000${step}`))).toBe(false);
    }
    const same = (fp + ' the same in every step').length;
    expect(told.published.map(({ step, bytes, uploadedBytes }) => [step, bytes, uploadedBytes])).toEqual([
      [20, 3000 + same, 3000 + same],
      [40, 3000 + same, 3000],
      [60, 3000 + same, 3000],
    ]);
    expect(await steps()).toEqual([40, 60]);
    expect(uploads.bytesPerSecond()).toBeGreaterThan(0);
    expect(told.delays).toEqual([]);
  });

  it('tell no speed where the store has nearly all of it, as after steps that are trained again', async () => {
    const dir = await written(20);
    await store.blobs.putFolder(dir);
    await writeFile(join(dir, 'metrics.jsonl'), `{"seconds": ${counter}.5}`);
    const { uploads, told } = start();
    uploads.offer({ step: 20, dir, evalLoss: null, final: false });
    await uploads.drain();
    expect(told.published.map(({ uploadedBytes }) => uploadedBytes > 0)).toEqual([true]);
    expect(uploads.bytesPerSecond()).toBeNull();
  });

  it('go up one at a time, the newest next; those in between are skipped, counted and told', async () => {
    const { uploads, told } = start();
    await offer(uploads, 20);
    await uploads.drain();
    let held = true;
    proxy.decide(() => (held ? 503 : 'pass'));
    const dirs: string[] = [];
    for (const step of [40, 60, 80, 100]) {
      await offer(uploads, step);
      dirs.push(join(home, `step-${String(step).padStart(8, '0')}`));
      await sleep(20);
    }
    held = false;
    await uploads.drain();
    expect(told.published.map(({ step }) => step)).toEqual([20, 40, 100]);
    expect(uploads.skipped()).toBe(2);
    await until(() => !dirs.some((dir) => existsSync(dir)));
    expect(told.slow).toHaveLength(1);
    expect(told.slow[0]).toMatch(
      /takes \d+\.\d s, but one is written every 0\.\d s \(20 steps\).*2 so far.*at most \d+ steps/s,
    );
    expect(await steps()).toEqual([40, 100]);
  });

  it('wait for a store that is killed, and go up when it is back', { timeout: 60_000 }, async () => {
    const { uploads, told } = start();
    await server.kill();
    await offer(uploads, 20);
    await until(() => told.delays.length > 0);
    await server.restart();
    await uploads.drain();
    expect(told.published.map(({ step }) => step)).toEqual([20]);
    expect(told.published[0]?.seconds).toBeGreaterThan(2);
    expect(told.delays[0]?.[0]).toBe(20);
  });

  it('give up at once when told so, in an upload and in an outage', async () => {
    for (const fate of ['pass', 503] as const) {
      const { uploads, told, stop } = start();
      let requests = 0;
      proxy.decide(({ method }) => {
        if (method === 'PUT') requests += 1;
        return fate;
      });
      uploads.offer({ step: 20, dir: await written(20, 64 * MIB), evalLoss: null, final: false });
      await until(() => (fate === 'pass' ? requests > 0 : told.delays.length > 0));
      const abortedMs = performance.now();
      stop.abort(new Error('enough'));
      await expect(uploads.drain()).rejects.toThrow(/enough|aborted/);
      await expect(uploads.failed).rejects.toThrow(/enough|aborted/);
      expect(performance.now() - abortedMs).toBeLessThan(5000);
      expect(told.published).toEqual([]);
    }
    proxy.decide(() => 'pass');
    expect(await steps()).toEqual([]);
  });

  it('stop for good when another attempt holds the training', async () => {
    const { uploads, told } = start();
    await store.trainings.claim(fp, owner('b'), dead);
    await offer(uploads, 20);
    await expect(uploads.failed).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    await expect(uploads.drain()).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    expect(told.published).toEqual([]);
  });

  it('are published only, without reading back, when every second counts', async () => {
    const { uploads, told } = start();
    await offer(uploads, 20);
    let reads = 0;
    proxy.decide(({ method, url }) => {
      if (method === 'GET' && url.includes(allBlobsPrefix)) reads += 1;
      return 'pass';
    });
    await uploads.drain({ publishedOnly: true });
    expect(told.published.map(({ step }) => step)).toEqual([20]);
    expect(await steps()).toEqual([20]);
    expect(reads).toBe(0);
  });

  it('are uploaded again when they do not read back', async () => {
    const dir = await written(20, 70 * MIB);
    const key = blobKey(sha256Hex(await readFile(join(dir, 'adapter.bin'))));
    const path = join(server.dataDir, store.objects.bucket, key);
    let publications = 0;
    const { uploads, told } = start({
      onPublished: () => {
        publications += 1;
        if (publications === 1) writeFileSync(path, Buffer.alloc(70 * MIB));
      },
    });
    uploads.offer({ step: 20, dir, evalLoss: null, final: false });
    await uploads.drain();
    expect(publications).toBe(2);
    expect(told.delays).toMatchObject([[20, expect.stringMatching(/does not read back.*SHA-256/)]]);
    const [entry] = await store.trainings.list(fp);
    if (entry === undefined) throw new Error('step 20 was published');
    expect((await store.trainings.read(entry, join(home, 'resume'))).step).toBe(20);
    expect(existsSync(dir)).toBe(false);
  });
});

describe('a disk without room', () => {
  const CHECKPOINT_BYTES = 3000 + 88;

  it('loses what nobody waits for first, and is told once', async () => {
    const left = await written(20);
    let free = 10 * CHECKPOINT_BYTES;
    const { uploads, told } = start({
      freeBytes: () => Promise.resolve(free + (existsSync(left) ? 0 : CHECKPOINT_BYTES)),
    });
    await offer(uploads, 40);
    await uploads.drain();
    expect(existsSync(left)).toBe(true);
    free = 1.5 * CHECKPOINT_BYTES;
    await offer(uploads, 60);
    await uploads.drain();
    expect(existsSync(left)).toBe(false);
    const toldOfDisk = (): string[] => told.slow.filter((message) => message.includes('free'));
    expect(toldOfDisk()).toEqual([]);
    free = 0.5 * CHECKPOINT_BYTES;
    for (const step of [80, 100]) {
      await offer(uploads, step);
      await uploads.drain();
    }
    expect(toldOfDisk()).toEqual([
      expect.stringMatching(/0\.0 MiB free; two checkpoints of 0\.0 MiB need 0\.0 MiB/),
    ]);
    expect(told.published.map(({ step }) => step)).toEqual([40, 60, 80, 100]);
  });

  it('gives up a checkpoint that waits behind an upload, and ends the uploads when nothing is left', async () => {
    let free = 10 * CHECKPOINT_BYTES;
    const { uploads, told } = start({ freeBytes: () => Promise.resolve(free) });
    proxy.decide(() => 503);
    await offer(uploads, 20);
    free = 100;
    await offer(uploads, 40);
    await until(() => !existsSync(join(home, 'step-00000040')));
    expect(uploads.skipped()).toBe(1);
    expect(existsSync(join(home, 'step-00000020'))).toBe(true);
    proxy.decide(() => 'pass');
    await expect(uploads.failed).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
    await expect(uploads.failed).rejects.toThrow(/0\.0 MiB free; two checkpoints/);
    expect(told.published.map(({ step }) => step)).toEqual([20]);
  });
});

describe('an attempt killed with SIGKILL', () => {
  it.each([
    ['in the middle of an upload', { method: 'PUT', part: 'partNumber=', nth: 3, leftUploads: 1 }],
    ['when it completes an upload', { method: 'POST', part: 'uploadId=', nth: 1, leftUploads: 1 }],
    ['when it writes the manifest', { method: 'PUT', part: '/step-', nth: 1, leftUploads: 0 }],
    ['when it writes the head', { method: 'PUT', part: '/head.json', nth: 1, leftUploads: 0 }],
  ])(
    '%s leaves nothing published, and the next one publishes',
    { timeout: 60_000 },
    async (_, { method, part, nth, leftUploads }) => {
      const dir = await written(20, 40 * MIB);
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, 'publishCheckpoint.ts'), proxy.endpoint, store.objects.bucket, fp, dir],
        { stdio: ['ignore', 'inherit', 'inherit'] },
      );
      const ended = once(child, 'exit');
      let seen = 0;
      proxy.decide((request) => {
        if (request.method === method && request.url.includes(part)) seen += 1;
        if (seen < nth) return 'pass';
        child.kill('SIGKILL');
        return 503;
      });
      expect(await ended).toEqual([null, 'SIGKILL']);
      proxy.decide(() => 'pass');
      expect(await steps()).toEqual([]);
      expect((await store.trainings.newestVerified(fp, join(home, 'none'))).checkpoint).toBeNull();
      expect(await store.trainings.claim(fp, owner('b'), dead)).toMatchObject({ epoch: 2 });
      const { uploads, told } = start({ epoch: 2 });
      uploads.offer({ step: 20, dir, evalLoss: null, final: false });
      await uploads.drain();
      expect(told.published).toMatchObject([{ step: 20 }]);
      expect((await store.trainings.newestVerified(fp, join(home, 'resume'))).checkpoint).toMatchObject({
        step: 20,
        epoch: 2,
      });
      expect(await store.objects.abortStaleUploads(allBlobsPrefix, -60_000)).toBe(leftUploads);
    },
  );
});
