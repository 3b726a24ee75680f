/** What the tests of garbage collection do to a store: claim, publish, let days pass, collect. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../src/contract/manifest.ts';
import type { BlobRef } from '../../src/contract/refs.ts';
import { emptyUsage } from '../../src/contract/usage.ts';
import { collectGarbage, MIN_GRACE_MS, type Collection, type Store } from '../../src/services/store/index.ts';
import type { PublishedCheckpoint } from '../../src/services/store/index.ts';
import { owner, shardRecord } from './samples.ts';
import type { TestServer } from './server.ts';

const DAYS_AGO = 3;

export const dead = (): Promise<boolean> => Promise.resolve(false);
const graceMs = MIN_GRACE_MS;
export const look = (store: Store): Promise<Collection> =>
  collectGarbage(store.objects, { graceMs, sweep: false });
export const sweep = (store: Store): Promise<Collection> =>
  collectGarbage(store.objects, { graceMs, sweep: true });

export async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  return (await Array.fromAsync(store.objects.list(prefix))).map(({ key }) => key);
}

export async function blobsOf(store: Store): Promise<Set<string>> {
  return new Set((await keysOf(store, 'blobs/')).map((key) => key.slice(-64)));
}

export const part = (ref: BlobRef) => ({ ...ref, rows: 1 });
export const put = (store: Store, text: string): Promise<BlobRef> => store.blobs.putBytes(Buffer.from(text));

export function manifest(fp: string, epoch: number, by: string, refs: readonly BlobRef[]): Manifest {
  return {
    kind: 'filter',
    fingerprint: fp,
    contentSha256: fp,
    rows: refs.length,
    parts: { kept: refs.map(part) },
    files: [],
    counts: {},
    facts: {},
    fingerprintOf: {},
    inputs: [],
    usage: emptyUsage,
    seconds: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: owner(by),
    epoch,
  };
}

export async function claim(store: Store, fp: string, by: string): Promise<number> {
  const claimed = await store.artifacts.claim({
    kind: 'filter',
    fingerprint: fp,
    owner: owner(by),
    isOwnerAlive: dead,
  });
  if (claimed.status !== 'owned') throw new Error(`${fp} is ${claimed.status}`);
  return claimed.epoch;
}

export const publish = async (
  store: Store,
  fp: string,
  epoch: number,
  by: string,
  refs: readonly BlobRef[],
) =>
  await store.artifacts.publish({
    kind: 'filter',
    fingerprint: fp,
    epoch,
    owner: owner(by),
    manifest: manifest(fp, epoch, by, refs),
  });

export const shard = (index: number, refs: readonly BlobRef[]) => ({
  ...shardRecord(index, 1),
  parts: Object.fromEntries(refs.map((ref, at) => [`part${at}`, part(ref)])),
});

export interface Scene {
  pathOf(store: Store, key: string): string;
  /** Lets three days pass for an object. */
  age(store: Store, key: string): Promise<void>;
  ageAll(store: Store): Promise<void>;
  checkpoint(
    store: Store,
    fp: string,
    epoch: number,
    step: number,
    texts: readonly string[],
  ): Promise<PublishedCheckpoint>;
}

/** What reaches behind the server, or beside it. */
export function createScene(server: TestServer): Scene {
  const scene: Scene = {
    pathOf: (store, key) => join(server.dataDir, store.objects.bucket, key),

    async age(store, key) {
      const then = new Date(Date.now() - DAYS_AGO * 24 * 3_600_000);
      const path = scene.pathOf(store, key);
      // Deleted by a collection in between: nothing to age.
      if ((await stat(path).catch(() => null)) !== null)
        await utimes(path, then, then).catch(() => undefined);
    },

    async ageAll(store) {
      for (const key of await keysOf(store)) await scene.age(store, key);
    },

    async checkpoint(store, fp, epoch, step, texts) {
      const dir = join(server.dataDir, '..', `step-${randomUUID()}`);
      await mkdir(dir);
      for (const [at, text] of texts.entries()) await writeFile(join(dir, `f${at}`), text);
      try {
        return await store.trainings.publishCheckpoint({
          fingerprint: fp,
          epoch,
          step,
          dir,
          evalLoss: null,
          rollbacks: 0,
          final: false,
        });
      } finally {
        await rm(dir, { recursive: true });
      }
    },
  };
  return scene;
}
