/** What a garbage collection keeps and deletes, and what writers do for it, on a real S3 server. */
import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobRef } from '../../src/contract/refs.ts';
import type { ModelDescription } from '../../src/services/registry/entry.ts';
import { createRegistry } from '../../src/services/registry/index.ts';
import { LEASE_MS } from '../../src/services/store/gc/condemned.ts';
import { SweepLease } from '../../src/services/store/gc/lease.ts';
import { storedForm } from '../../src/services/store/heads.ts';
import {
  artifactHeadKey,
  artifactManifestKey,
  blobKey,
  checkpointKey,
  condemnedKey,
  shardKey,
  trainingHeadKey,
} from '../../src/services/store/keys.ts';
import {
  collectGarbage,
  fingerprint,
  MIN_GRACE_MS,
  uploadedFileKey,
  type Store,
} from '../../src/services/store/index.ts';
import {
  blobsOf,
  claim,
  createScene,
  dead,
  keysOf,
  look,
  manifest,
  publish,
  put,
  shard,
  sweep,
  type Scene,
} from './gcScene.ts';
import { owner } from './samples.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;
let scene: Scene;

beforeAll(async () => {
  server = await startServer();
  scene = createScene(server);
});
afterAll(() => server.stop());

describe('a collection', () => {
  it('keeps what is named, by whomever, and deletes what lay unnamed for the whole of the grace', async () => {
    const store = await server.openStore({ prefix: 'team/a' });
    const { objects } = store;
    const fp = fingerprint({ test: 1 });
    const kept: Record<string, BlobRef> = {};
    const keep = async (name: string): Promise<BlobRef> => (kept[name] = await put(store, `kept ${name}`));
    const gone: BlobRef[] = [];
    const lose = async (name: string): Promise<BlobRef> => {
      const ref = await put(store, `garbage ${name}`);
      gone.push(ref);
      return ref;
    };

    // Published: the manifest counts; shard records and the manifest of an epoch before do not.
    expect(await claim(store, fp, 'a')).toBe(1);
    await store.artifacts.putShard('filter', fp, shard(0, [await lose('shard of a published artefact')]));
    const past = manifest(fp, 1, 'a', [await lose('manifest of epoch 1')]);
    await objects.putIfAbsent(artifactManifestKey('filter', fp, 1), storedForm(past));
    expect(await claim(store, fp, 'b')).toBe(2);
    await publish(store, fp, 2, 'b', [await keep('published')]);

    // Being built, by a run that may be dead: the next one takes its shards.
    const building = fingerprint({ test: 2 });
    await claim(store, building, 'a');
    await store.artifacts.putShard('filter', building, shard(0, [await keep('shard of an open stage')]));
    const before = manifest(building, 1, 'a', [await lose('manifest before the takeover')]);
    await objects.putIfAbsent(artifactManifestKey('filter', building, 1), storedForm(before));
    await claim(store, building, 'b');
    const next = manifest(building, 2, 'b', [await keep('manifest before its head')]);
    await objects.putIfAbsent(artifactManifestKey('filter', building, 2), storedForm(next));

    // A training: listed checkpoints, and one that its attempt has not listed yet.
    const training = fingerprint({ test: 3 });
    await store.trainings.claim(training, owner('a'), dead);
    for (const step of [100, 200, 300])
      await scene.checkpoint(store, training, 1, step, [`weights ${step}`, 'kept: config']);
    await store.trainings.prune(training, 1, 2);
    for (const step of [200, 300]) kept[`step ${step}`] = await put(store, `weights ${step}`);
    gone.push(await put(store, 'weights 100'));
    kept['config'] = await put(store, 'kept: config');
    const unlisted = async (step: number, epoch: number, ref: BlobRef) =>
      await objects.putIfAbsent(
        checkpointKey(training, step, epoch),
        storedForm({ step, epoch, files: [{ ...ref, path: 'f' }], createdAt: '2026-01-01T00:00:00.000Z' }),
      );
    await unlisted(150, 1, await lose('leftover of a dead attempt'));
    await store.trainings.claim(training, { ...owner('a'), writer: '2' }, dead);
    await unlisted(350, 2, await keep('checkpoint before its head'));

    const registered = await createRegistry(store).enter(describedModel(store));
    kept['card'] = registered.card;
    const upload = await keep('uploaded for a run');
    await objects.putIfAbsent(uploadedFileKey(upload.sha256), storedForm(upload));
    const told = await keep('named by something of a later version');
    await objects.putIfAbsent('later/things/1.json', storedForm({ at: told.uri }));
    const whole = ['answers/s/a.idx', 'verdicts/ab/x.json', 'uploads/datasets/x/rows.jsonl', 'else/rows.bin'];
    for (const key of [...whole, 'blobs/sha256/readme.txt'])
      await objects.putIfAbsent(key, Buffer.from('kept'));
    await objects.putIfAbsent('probe/1/created', Buffer.from('left by a killed doctor'));
    await lose('named by nobody');
    await ageTeam(store);
    const young = await put(store, 'young, and named by nobody yet');

    const dry = await look(store);
    const keysBefore = await keysOf(store);
    expect(dry).toMatchObject({
      swept: false,
      needed: { objects: Object.keys(kept).length },
      young: { objects: 1, bytes: young.bytes },
      garbage: { objects: gone.length, bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0) },
      // Shard 0 and epoch 1 of the first, epoch 1 of the second, step 150, the probe.
      records: { objects: 5 },
      foreign: { objects: 1 },
      missing: [],
      lost: [],
      notes: [],
    });
    expect(keysBefore).toContain(shardKey('filter', fp, 0));

    const swept = await sweep(store);
    expect(swept).toEqual({ ...dry, swept: true });
    const expected = new Set([...Object.values(kept), young].map(({ sha256 }) => sha256));
    expect(new Set([...(await blobsOf(store))].filter((name) => /^[0-9a-f]{64}$/.test(name)))).toEqual(
      expected,
    );
    const keys = await keysOf(store);
    expect(keys).toEqual(
      expect.arrayContaining([...whole, 'blobs/sha256/readme.txt', 'later/things/1.json']),
    );
    expect(keys).toEqual(expect.arrayContaining([artifactHeadKey('filter', fp), trainingHeadKey(training)]));
    for (const key of [
      shardKey('filter', fp, 0),
      artifactManifestKey('filter', fp, 1),
      artifactManifestKey('filter', building, 1),
      checkpointKey(training, 150, 1),
      'probe/1/created',
    ])
      expect(keys).not.toContain(key);
    expect(await sweep(store)).toMatchObject({ garbage: { objects: 0 }, records: { objects: 0 } });

    async function ageTeam(of: Store): Promise<void> {
      for (const key of await keysOf(of)) await scene.age(of, `team/a/${key}`);
    }
  });

  it('keeps all of a folder whose head or manifest cannot be read, and says so', async () => {
    const store = await server.openStore();
    const ids = [1, 2, 3].map((test) => fingerprint({ unreadable: test }));
    const [headless = '', torn = '', altered = ''] = ids;
    for (const fp of ids) {
      await claim(store, fp, 'a');
      await store.artifacts.putShard('filter', fp, shard(0, [await put(store, `shard of ${fp}`)]));
    }
    await publish(store, altered, 1, 'a', []);
    await writeFile(scene.pathOf(store, artifactManifestKey('filter', altered, 1)), '{}');
    await store.objects.delete(artifactHeadKey('filter', headless));
    await writeFile(scene.pathOf(store, artifactHeadKey('filter', torn)), '{"epoch": 1, "state": "publi');
    await scene.ageAll(store);
    const { garbage, records, notes } = await sweep(store);
    expect({ garbage, records }).toEqual({
      garbage: { objects: 0, bytes: 0 },
      records: { objects: 0, bytes: 0 },
    });
    expect([...notes].sort()).toEqual(
      [
        `artifacts/filter/${headless}: the head is missing or damaged; all that lies there is kept`,
        `artifacts/filter/${torn}: the head is missing or damaged; all that lies there is kept`,
        `artifacts/filter/${altered}: the manifest that the head names is missing or damaged; all that lies there is kept`,
      ].sort(),
    );
  });

  it('tells of blobs that are named and not there', async () => {
    const store = await server.openStore();
    const fp = fingerprint({ missing: 1 });
    await claim(store, fp, 'a');
    const ref = await put(store, 'soon gone');
    await publish(store, fp, 1, 'a', [ref]);
    await store.objects.delete(blobKey(ref.sha256));
    expect((await look(store)).missing).toEqual([
      { sha256: ref.sha256, namedBy: artifactManifestKey('filter', fp, 1) },
    ]);
  });

  it('is the only one; a dead one is succeeded when its flag is ten minutes old', async () => {
    const store = await server.openStore();
    const first = await SweepLease.take(store.objects);
    await expect(sweep(store)).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    const then = new Date(Date.now() - LEASE_MS - 5000);
    await utimes(scene.pathOf(store, condemnedKey), then, then);
    expect(await sweep(store)).toMatchObject({ swept: true });
    await expect(first.condemn([])).rejects.toMatchObject({ code: 'HEAD_FENCED' });
  });

  it('deletes nothing that is younger than writers rely on', async () => {
    const store = await server.openStore();
    await expect(collectGarbage(store.objects, { graceMs: MIN_GRACE_MS - 1, sweep: true })).rejects.toThrow(
      RangeError,
    );
  });
});

describe('a writer', () => {
  it('writes an old blob again, by bytes and by file, and leaves a young one', async () => {
    const store = await server.openStore();
    const path = join(server.dataDir, '..', 'file');
    await writeFile(path, 'by file');
    const refs = [await put(store, 'by bytes'), await store.blobs.putFile(path)];
    for (const { sha256 } of refs) await scene.age(store, blobKey(sha256));
    const modified = async (): Promise<number[]> =>
      await Promise.all(
        refs.map(async ({ sha256 }) => (await stat(scene.pathOf(store, blobKey(sha256)))).mtimeMs),
      );
    const old = await modified();
    await put(store, 'by bytes');
    await store.blobs.putFile(path);
    const renewed = await modified();
    expect(renewed.every((time, index) => time > (old[index] ?? 0) + 2 * 24 * 3_600_000)).toBe(true);
    await put(store, 'by bytes');
    await store.blobs.putFile(path);
    expect(await modified()).toEqual(renewed);
  });

  it('waits for the collection that is about to delete its blob, and writes it once more', async () => {
    const store = await server.openStore();
    const ref = await put(store, 'condemned');
    await scene.age(store, blobKey(ref.sha256));
    const lease = await SweepLease.take(store.objects);
    await lease.condemn([ref.sha256]);
    let isDone = false;
    const writing = put(store, 'condemned').finally(() => {
      isDone = true;
    });
    await sleep(300);
    // The collector looked before the writer wrote, and deletes now.
    await store.objects.deleteOnce(blobKey(ref.sha256));
    expect(isDone).toBe(false);
    await lease.release();
    await writing;
    await store.blobs.verify(ref);
  });

  it('does not record rows that lay unnamed for days: the attempt is made again', async () => {
    const store = await server.openStore();
    const fp = fingerprint({ suspended: 1 });
    await claim(store, fp, 'a');
    const ref = await put(store, 'rows');
    await scene.age(store, blobKey(ref.sha256));
    await expect(store.artifacts.putShard('filter', fp, shard(0, [ref]))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await store.artifacts.getShard('filter', fp, 0)).toBeNull();
    await store.artifacts.putShard('filter', fp, shard(0, [await put(store, 'rows')]));
  });
});
function describedModel(store: Store): ModelDescription {
  const artifact = store.artifacts.refOf(manifest(fingerprint({ model: 1 }), 1, 'a', []));
  const sha256 = fingerprint({ content: 1 });
  return {
    name: 'a model',
    artifact,
    contentSha256: sha256,
    base: { uri: 'hf:base', revision: null, contentSha256: sha256, license: 'mit' },
    lineage: {
      settings: {},
      settingsSha256: sha256,
      traces: { uri: artifact.uri, contentSha256: sha256, teacher: null, promptKept: null },
      datasets: [],
      tokenizerSha256: null,
      code: { train: 1, package: '0', libraries: {} },
      course: { device: null, precision: null, rollbacks: null, stoppedEarlyAtStep: null },
    },
    metrics: {
      evalLossBefore: null,
      evalLossAfter: null,
      guardLossBefore: null,
      guardLossAfter: null,
      steps: 1,
      trainTokens: null,
    },
    hasAdapter: false,
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: { kind: 'person', name: 'test' },
  };
}
