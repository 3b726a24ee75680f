/**
 * `npm run --silent bench:upload`: a checkpoint of new random files into a local versitygw, by the store of this
 * project (hash, upload, verify) and by `rclone copy`, in turn, in one run.
 * Environment: SIZES_MIB (1024,300,40,2,0.1), ROUNDS (5), RCLONE (path; else from PATH).
 */
import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, TEST_CREDENTIALS, TEST_REGION } from '../../test/store/server.ts';

const MIB = 1024 * 1024;
const sizesMib = (process.env['SIZES_MIB'] ?? '1024,300,40,2,0.1').split(',').map(Number);
const rounds = Number(process.env['ROUNDS'] ?? 5);
const rclone = process.env['RCLONE'] ?? 'rclone';
const run = promisify(execFile);

const version = await run(rclone, ['version']).catch((error: unknown) => {
  throw new Error(
    'rclone is not there: `go install github.com/rclone/rclone@latest`, or your package manager; name it by RCLONE if it is not on the PATH.',
    { cause: error },
  );
});
const bytes = sizesMib.reduce((sum, mib) => sum + Math.round(mib * MIB), 0);
const work = await mkdtemp(join(tmpdir(), 'secpi-upload-'));
const server = await startServer();
let interrupted: string | null = null;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => (interrupted = name));
try {
  const measured: { oursMibPerSecond: number; rcloneMibPerSecond: number; readBackMibPerSecond: number }[] =
    [];
  for (let round = 0; round < rounds; round += 1) {
    const dir = join(work, `round-${round}`);
    await writeCheckpoint(dir);
    const ourStore = await server.openStore();
    const rcloneStore = await server.openStore();
    const sides = [
      async () => ['ours', await seconds(() => ourStore.blobs.putFolder(dir))] as const,
      async () => ['rclone', await seconds(() => copyByRclone(dir, rcloneStore))] as const,
    ];
    const took = new Map<string, number>();
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await run('sync');
      const [name, time] = await side();
      if (interrupted !== null) throw new Error(interrupted);
      took.set(name, time);
    }
    const files = await ourStore.blobs.putFolder(dir);
    await run('sync');
    const readBack = await seconds(async () => {
      for (const file of files) await ourStore.blobs.verify(file);
    });
    measured.push({
      oursMibPerSecond: rateOf(took.get('ours') ?? Number.NaN),
      rcloneMibPerSecond: rateOf(took.get('rclone') ?? Number.NaN),
      readBackMibPerSecond: rateOf(readBack),
    });
    await rm(dir, { recursive: true });
    for (const store of [ourStore, rcloneStore]) await empty(store);
  }
  const ratios = measured.map(({ oursMibPerSecond, rcloneMibPerSecond }) =>
    Number((oursMibPerSecond / rcloneMibPerSecond).toFixed(3)),
  );
  const figures = {
    sizesMib,
    rounds: measured,
    ratios,
    medianRatio: median(ratios),
    medianOursMibPerSecond: median(measured.map((round) => round.oursMibPerSecond)),
    medianRcloneMibPerSecond: median(measured.map((round) => round.rcloneMibPerSecond)),
    rclone: version.stdout.split('\n')[0],
    load: loadavg().map((load) => Number(load.toFixed(1))),
  };
  console.log(JSON.stringify(figures, null, 2));
} finally {
  await server.stop();
  await rm(work, { recursive: true, force: true });
}

async function writeCheckpoint(dir: string): Promise<void> {
  await mkdir(dir);
  for (const [index, mib] of sizesMib.entries()) {
    const file = await open(join(dir, `file-${index}.bin`), 'w');
    for (let left = Math.round(mib * MIB); left > 0; left -= 8 * MIB)
      await file.write(randomFillSync(Buffer.allocUnsafe(Math.min(left, 8 * MIB))));
    await file.close();
  }
}

async function copyByRclone(dir: string, store: Store): Promise<void> {
  await run(rclone, ['copy', dir, `bench:${store.objects.bucket}/checkpoint`, '--config', '/dev/null'], {
    env: {
      ...process.env,
      RCLONE_CONFIG_BENCH_TYPE: 's3',
      RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
      RCLONE_CONFIG_BENCH_ENDPOINT: server.endpoint,
      RCLONE_CONFIG_BENCH_REGION: TEST_REGION,
      RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    },
  });
}

async function empty(store: Store): Promise<void> {
  for await (const { key } of store.objects.list('')) await store.objects.delete(key);
  store.objects.close();
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function rateOf(time: number): number {
  return Number((bytes / MIB / time).toFixed(1));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return Number(((low + high) / 2).toFixed(3));
}
