/** Garbage collection on a real S3 server: what is needed stays, also while others write; the rest goes. */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecpiError } from '../../src/contract/errors.ts';
import type { BlobRef } from '../../src/contract/refs.ts';
import { createArtifacts } from '../../src/services/store/artifacts.ts';
import { createBlobs } from '../../src/services/store/blobs.ts';
import { storedForm } from '../../src/services/store/heads.ts';
import { blobKey, condemnedKey } from '../../src/services/store/keys.ts';
import {
  fingerprint,
  sha256Hex,
  uploadedFileKey,
  type Collection,
  type ObjectStore,
  type Store,
} from '../../src/services/store/index.ts';
import { createTrainings } from '../../src/services/store/trainings.ts';
import { blobsOf, claim, createScene, dead, publish, put, shard, sweep, type Scene } from './gcScene.ts';
import { owner } from './samples.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;
let scene: Scene;

beforeAll(async () => {
  server = await startServer();
  scene = createScene(server);
});
afterAll(() => server.stop());

interface Job {
  readonly what: 'publish' | 'shards' | 'checkpoint' | 'upload' | 'takeover';
  /** Contents that other writers and garbage may have as well. */
  readonly shared: readonly number[];
  /** Contents of this writer alone; `sleeps`: it is suspended for three days between writing and naming them. */
  readonly own: number;
  readonly sleeps: boolean;
  /** Acts at the worst moment: writes when a collection has looked, names when one has told what it deletes. */
  readonly meets: boolean;
  readonly waitMs: number;
}

/** What a collection does at this moment. */
type Moments = EventEmitter<{ looked: []; condemned: [] }>;

/** Collections follow each other while a writer is at work; of some there is nothing to meet. */
const MEETING_LIMIT_MS = 1200;

async function meet(moments: Moments, what: 'looked' | 'condemned'): Promise<void> {
  await once(moments, what, { signal: AbortSignal.timeout(MEETING_LIMIT_MS) }).catch(() => undefined);
}

/** No further store is tried after this time. */
const RUN_MS = 30_000;
const SHARED_CONTENTS = 6;
const job: fc.Arbitrary<Job> = fc.record({
  what: fc.constantFrom('publish', 'shards', 'checkpoint', 'upload', 'takeover'),
  shared: fc.uniqueArray(fc.nat(SHARED_CONTENTS - 1), { maxLength: 4 }),
  own: fc.nat(2),
  sleeps: fc.boolean(),
  meets: fc.boolean(),
  waitMs: fc.nat(60),
});

const scenario = fc.record({
  /** What happened before, all of it three days ago. */
  past: fc.array(job, { maxLength: 5 }),
  /** Contents that lie there unnamed; of the shared ones, and of the writers' own. */
  garbage: fc.record({ shared: fc.uniqueArray(fc.nat(SHARED_CONTENTS - 1)), own: fc.boolean() }),
  /** What runs beside the collections. */
  jobs: fc.array(job, { minLength: 2, maxLength: 6 }),
  /** Requests of collector and writers are held up by so long, in turn. */
  lagsMs: fc.array(fc.nat(12), { minLength: 3, maxLength: 20 }),
  /** Between a collector's look at a blob and its delete. */
  gapMs: fc.nat(250),
});

describe('collections beside running writers', () => {
  it('never delete a needed blob, and in the end all others', { timeout: 120_000 }, async () => {
    let deletedBeside = 0;
    const endMs = performance.now() + RUN_MS;
    await fc.assert(
      fc.asyncProperty(scenario, async ({ past, garbage, jobs, lagsMs, gapMs }) => {
        // By the property itself: what fast-check interrupts would go on beside the end of the server.
        if (performance.now() > endMs) return;
        const store = await server.openStore();
        const moments: Moments = new EventEmitter();
        const slow = slowed(store, lagsMs);
        const collector = { ...slow, objects: watched(slow.objects, moments, gapMs) };
        const needed = new Map<string, ReadonlySet<string>>();
        for (const [index, it] of past.entries())
          await work(store, `past ${index}`, { ...it, meets: false }, needed, moments);
        for (const text of garbage.shared) await put(store, `shared ${text}`);
        if (garbage.own)
          for (const [index, { own }] of jobs.entries())
            for (let at = 0; at < own; at += 1) await put(store, `job ${index} own ${at}`);
        await scene.ageAll(store);

        const open = new Set(jobs);
        const collections: Collection[] = [];
        const collect = async (): Promise<void> => {
          while (open.size > 0) {
            const collection = await trySweep(collector);
            if (collection === null) await sleep(50);
            else collections.push(collection);
          }
        };
        const write = async (it: Job, index: number): Promise<void> => {
          await work(slow, `job ${index}`, it, needed, moments).finally(() => {
            open.delete(it);
          });
        };
        await Promise.all([collect(), collect(), ...jobs.map(write)]);

        for (const { lost, missing, garbage: deleted } of collections) {
          expect({ lost, missing }).toEqual({ lost: [], missing: [] });
          deletedBeside += deleted.objects;
        }
        const names = new Set([...needed.values()].flatMap((some) => [...some]));
        for (const sha256 of names)
          await store.blobs.verify({ uri: sha256, sha256, bytes: await sizeOf(store, sha256) });
        await scene.ageAll(store);
        await sweep(store);
        expect(await blobsOf(store)).toEqual(names);
      }),
      { numRuns: 25, endOnFailure: true },
    );
    // Else nothing was tested.
    expect(deletedBeside).toBeGreaterThan(0);
  });
});

/** Does a job as an activity does, again after failures that are to be tried again; notes what it made needed. */
async function work(
  store: Store,
  name: string,
  { what, shared, own, sleeps, meets, waitMs }: Job,
  needed: Map<string, ReadonlySet<string>>,
  moments: Moments,
): Promise<void> {
  const ownTexts = Array.from({ length: own }, (_, at) => `${name} own ${at}`);
  const texts = [...shared.map((text) => `shared ${text}`), ...ownTexts];
  const names = new Set(texts.map((text) => sha256Hex(text)));
  let isRested = !sleeps;
  const write = async (): Promise<BlobRef[]> => {
    const refs = await Promise.all(texts.map(async (text) => await put(store, text)));
    await sleep(waitMs);
    if (!isRested) for (const text of ownTexts) await scene.age(store, blobKey(sha256Hex(text)));
    if (meets && !isRested) await meet(moments, 'condemned');
    isRested = true;
    return refs;
  };
  const fp = fingerprint({ name });
  await (meets ? meet(moments, 'looked') : sleep(waitMs));
  switch (what) {
    case 'publish': {
      const epoch = await claim(store, fp, name);
      await again(async () => await publish(store, fp, epoch, name, await write()));
      break;
    }
    case 'shards':
    case 'takeover': {
      await claim(store, fp, name);
      const records = await again(async () => {
        const refs = await write();
        return await store.artifacts.putShard('filter', fp, shard(0, refs));
      });
      if (what === 'shards') break;
      // Another run takes over the shards and publishes all but the first blob.
      const epoch = await claim(store, fp, `heir of ${name}`);
      const [first, ...rest] = Object.values(records.parts);
      await publish(store, fp, epoch, `heir of ${name}`, rest);
      if (first !== undefined && !rest.some(({ sha256 }) => sha256 === first.sha256))
        names.delete(first.sha256);
      break;
    }
    case 'checkpoint': {
      await store.trainings.claim(fp, owner(name), dead);
      await again(async () => await scene.checkpoint(store, fp, 1, 100, texts));
      break;
    }
    case 'upload': {
      for (const ref of await Promise.all(texts.map(async (text) => await put(store, text))))
        await store.objects.putIfAbsent(uploadedFileKey(ref.sha256), storedForm(ref));
      break;
    }
  }
  needed.set(name, names);
}

async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isPassing =
        error instanceof SecpiError && (error.code === 'STORE_UNAVAILABLE' || error.code === 'BLOB_MISSING');
      if (!isPassing || attempts === 6) throw error;
    }
  }
}

/** A second collection beside the first is refused, or runs after it. */
async function trySweep(store: Store): Promise<Collection | null> {
  try {
    return await sweep(store);
  } catch (error) {
    if (error instanceof SecpiError && error.code === 'HEAD_FENCED') return null;
    throw error;
  }
}

/** The same store, each request held up before and after: what lies between two requests of a collector gets longer. */
function slowed(store: Store, lagsMs: readonly number[]): Store {
  let turn = 0;
  const lag = async (): Promise<void> => {
    turn += 1;
    await sleep(lagsMs[turn % lagsMs.length] ?? 0);
  };
  const held =
    <A extends unknown[], R>(request: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await lag();
      const result = await request(...args);
      await lag();
      return result;
    };
  const { objects } = store;
  const slow: ObjectStore = {
    ...objects,
    get: held(objects.get),
    look: held(objects.look),
    putIfAbsent: held(objects.putIfAbsent),
    replaceIfMatch: held(objects.replaceIfMatch),
    putFile: held(objects.putFile),
    deleteOnce: held(objects.deleteOnce),
  };
  const blobs = createBlobs(slow, { tempDir: store.blobs.tempDir });
  return {
    objects: slow,
    blobs,
    artifacts: createArtifacts(slow, blobs),
    trainings: createTrainings(slow, blobs),
  };
}

/** A collector's store: tells its moments, and takes its time before it deletes. */
function watched(objects: ObjectStore, moments: Moments, gapMs: number): ObjectStore {
  return {
    ...objects,
    async look(key) {
      const found = await objects.look(key);
      if (key.startsWith('blobs/')) moments.emit('looked');
      return found;
    },
    async replaceIfMatch(key, bytes, etag) {
      const written = await objects.replaceIfMatch(key, bytes, etag);
      if (key === condemnedKey) moments.emit('condemned');
      return written;
    },
    async deleteOnce(key) {
      await sleep(gapMs);
      await objects.deleteOnce(key);
    },
  };
}

async function sizeOf(store: Store, sha256: string): Promise<number> {
  return (await store.objects.head(blobKey(sha256)))?.bytes ?? -1;
}
