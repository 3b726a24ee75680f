/** Claims, fencing and publication of artefacts and checkpoints, on a real S3 server. */
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Owner } from '../../src/contract/refs.ts';
import { fingerprint, writeRows } from '../../src/services/store/index.ts';
import type { IsOwnerAlive, Store } from '../../src/services/store/index.ts';
import { blobKey } from '../../src/services/store/keys.ts';
import { manifestFor, owner, shardRecord } from './samples.ts';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

let server: TestServer;
let store: Store;
let fp: string;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
});
beforeEach(() => {
  counter += 1;
  fp = fingerprint({ test: counter });
});
afterAll(() => server.stop());

const alive = (): Promise<boolean> => Promise.resolve(true);
const dead = (): Promise<boolean> => Promise.resolve(false);
const claim = (by: Owner, isOwnerAlive: IsOwnerAlive = alive) =>
  store.artifacts.claim({ kind: 'filter', fingerprint: fp, owner: by, isOwnerAlive });
const manifest = (epoch: number, by: Owner, seconds = 1) => manifestFor(store, fp, epoch, by, seconds);
const publish = async (epoch: number, by: Owner, seconds = 1) =>
  store.artifacts.publish({
    kind: 'filter',
    fingerprint: fp,
    epoch,
    owner: by,
    manifest: await manifest(epoch, by, seconds),
  });

describe('an artefact', () => {
  it('is made by the one who claimed it; the others wait for it and take it', async () => {
    expect(await claim(owner('a'))).toEqual({ status: 'owned', epoch: 1 });
    expect(await claim(owner('b'))).toEqual({ status: 'busy', owner: owner('a') });
    expect(await store.artifacts.read('filter', fp)).toBeNull();
    const ref = await publish(1, owner('a'));
    expect(await claim(owner('b'))).toEqual({
      status: 'published',
      manifest: await manifest(1, owner('a')),
      ref,
    });
    expect(await store.artifacts.readByUri(ref.uri)).toEqual(await manifest(1, owner('a')));
    expect(store.artifacts.refOf(await manifest(1, owner('a')))).toEqual(ref);
  });

  it('has exactly one owner when eight claim it at once', async () => {
    const claims = await Promise.all(Array.from({ length: 8 }, (_, index) => claim(owner(`run-${index}`))));
    const winner = claims.findIndex(({ status }) => status === 'owned');
    expect(claims.filter(({ status }) => status === 'owned')).toEqual([{ status: 'owned', epoch: 1 }]);
    expect(claims.filter(({ status }) => status === 'busy')).toEqual(
      Array.from({ length: 7 }, () => ({ status: 'busy', owner: owner(`run-${winner}`) })),
    );
  });

  it("gives its owner the same epoch again, and a dead owner's successor a higher one", async () => {
    await claim(owner('a'));
    expect(await claim(owner('a'), dead)).toEqual({ status: 'owned', epoch: 1 });
    expect(await claim(owner('b'), dead)).toEqual({ status: 'owned', epoch: 2 });
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        claim(owner(`heir-${index}`), (by) => Promise.resolve(by.runId !== owner('b').runId)),
      ),
    );
    expect(claims.filter(({ status }) => status === 'owned')).toEqual([{ status: 'owned', epoch: 3 }]);
  });

  it('refuses a writer that was taken for dead, before and after its successor published', async () => {
    await claim(owner('zombie'));
    await claim(owner('heir'), dead);
    await expect(publish(1, owner('zombie'))).rejects.toMatchObject({
      code: 'HEAD_FENCED',
      retryable: false,
    });
    expect(await store.artifacts.read('filter', fp)).toBeNull();
    await publish(2, owner('heir'));
    await expect(publish(1, owner('zombie'))).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    await expect(publish(2, owner('zombie'))).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    expect((await store.artifacts.read('filter', fp))?.createdBy).toEqual(owner('heir'));
  });

  it('is not published by one who never claimed it', async () => {
    await expect(publish(1, owner('a'))).rejects.toMatchObject({ code: 'HEAD_FENCED' });
  });

  it('is published once, also by retries that measured other times', async () => {
    await claim(owner('a'));
    const refs = await Promise.all([1, 2, 3, 4].map((seconds) => publish(1, owner('a'), seconds)));
    expect(new Set(refs.map((ref) => JSON.stringify(ref))).size).toBe(1);
    const held = await store.artifacts.read('filter', fp);
    await publish(1, owner('a'), 99);
    expect(await store.artifacts.read('filter', fp)).toEqual(held);
  });

  it('is not published while a blob is missing or has another size', async () => {
    await claim(owner('a'));
    const parts = await writeRows(store.blobs, [{ row: fp }], { rowsPerPart: 10 });
    const request = { kind: 'filter', fingerprint: fp, epoch: 1, owner: owner('a') } as const;
    const whole = { ...(await manifest(1, owner('a'))), parts: { kept: parts } };
    const file = join(server.dataDir, store.objects.bucket, blobKey(parts[0]?.sha256 ?? ''));
    const bytes = await readFile(file);
    await truncate(file, 3);
    await expect(store.artifacts.publish({ ...request, manifest: whole })).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
    });
    await store.objects.delete(blobKey(parts[0]?.sha256 ?? ''));
    await expect(store.artifacts.publish({ ...request, manifest: whole })).rejects.toMatchObject({
      code: 'BLOB_MISSING',
    });
    expect(await store.artifacts.read('filter', fp)).toBeNull();
    await store.blobs.putBytes(bytes);
    await store.artifacts.publish({ ...request, manifest: whole });
    expect((await store.artifacts.read('filter', fp))?.parts).toEqual({ kept: parts });
  });

  it.each(['s3://other-bucket/artifacts/filter/x', 'file:///etc/passwd', 'nonsense'])(
    'is not found under %j',
    async (uri) => {
      await expect(store.artifacts.readByUri(uri)).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    },
  );

  it('is not found while it is being made', async () => {
    await claim(owner('a'));
    const uri = store.objects.uriOf(`artifacts/filter/${fp}`);
    await expect(store.artifacts.readByUri(uri)).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
  });
});

describe('shard records', () => {
  it('are kept once, by whoever comes first, and listed by index', async () => {
    for (const index of [10, 2, 0])
      expect(await store.artifacts.putShard('filter', fp, shardRecord(index, 1))).toEqual(
        shardRecord(index, 1),
      );
    expect(await store.artifacts.putShard('filter', fp, shardRecord(2, 2))).toEqual(shardRecord(2, 1));
    expect(await store.artifacts.getShard('filter', fp, 2)).toEqual(shardRecord(2, 1));
    expect(await store.artifacts.getShard('filter', fp, 3)).toBeNull();
    expect((await store.artifacts.listShards('filter', fp)).map(({ index }) => index)).toEqual([0, 2, 10]);
    const raced = await Promise.all(
      Array.from({ length: 8 }, (_, seconds) =>
        store.artifacts.putShard('filter', fp, shardRecord(5, seconds)),
      ),
    );
    expect(new Set(raced.map(({ seconds }) => seconds)).size).toBe(1);
  });
});

describe('a training', () => {
  let work: string;
  const stateOf = async (step: number): Promise<string> => {
    const dir = join(work, `step-${step}`);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'adapter.bin'), `${fp} weights of ${step}`);
    await writeFile(join(dir, 'config.json'), `${fp} the same in every step`);
    return dir;
  };
  const save = async (step: number, epoch = 1) =>
    store.trainings.publishCheckpoint({ fingerprint: fp, epoch, step, dir: await stateOf(step) });
  const steps = async (): Promise<string[]> =>
    (await store.trainings.list(fp)).map(({ step, epoch }) => `${step}-e${epoch}`);
  const damage = async (checkpoint: Awaited<ReturnType<typeof save>>): Promise<void> => {
    const weights = checkpoint.files.find(({ path }) => path === 'adapter.bin');
    await writeFile(
      join(server.dataDir, store.objects.bucket, blobKey(weights?.sha256 ?? '')),
      'x'.repeat(weights?.bytes ?? 0),
    );
  };

  beforeEach(async () => {
    work = join(server.dataDir, '..', `work-${counter}`);
    await store.trainings.claim(fp, owner('a'), alive);
  });

  it('hands its checkpoints to the successor of a dead owner, and fences the dead one', async () => {
    await save(100);
    await save(200);
    expect(await store.trainings.claim(fp, owner('b'), alive)).toEqual({ status: 'busy', owner: owner('a') });
    const taken = await store.trainings.claim(fp, owner('b'), dead);
    expect(taken).toMatchObject({ status: 'owned', epoch: 2, checkpoints: [{ step: 100 }, { step: 200 }] });
    await expect(save(300, 1)).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    await save(300, 2);
    expect(await steps()).toEqual(['100-e1', '200-e1', '300-e2']);
  });

  it('fences the earlier attempt of the same run, when each attempt is a writer of its own', async () => {
    const attempt = (writer: string): Owner => ({ ...owner('a'), writer });
    expect(await store.trainings.claim(fp, attempt('train.1'), dead)).toMatchObject({
      status: 'owned',
      epoch: 2,
    });
    expect(await store.trainings.claim(fp, attempt('train.2'), dead)).toMatchObject({
      status: 'owned',
      epoch: 3,
    });
    expect(await store.trainings.claim(fp, attempt('train.2'), dead)).toMatchObject({
      status: 'owned',
      epoch: 3,
    });
    await expect(save(100, 2)).rejects.toMatchObject({ code: 'HEAD_FENCED' });
  });

  it('resumes from the newest checkpoint that reads back, and tells which ones do not', async () => {
    await save(100);
    await damage(await save(200));
    await damage(await save(300));
    const dir = join(work, 'resumed');
    const { checkpoint, skipped } = await store.trainings.newestVerified(fp, dir);
    expect(checkpoint?.step).toBe(100);
    expect(await readFile(join(dir, 'adapter.bin'), 'utf8')).toBe(`${fp} weights of 100`);
    expect(skipped.map(({ step }) => step)).toEqual([300, 200]);
    expect(skipped[0]?.problem).toContain('SHA-256');
  });

  it('has nothing to resume from before its first checkpoint', async () => {
    expect(await store.trainings.newestVerified(fp, join(work, 'none'))).toEqual({
      checkpoint: null,
      skipped: [],
    });
    expect(
      await store.trainings.newestVerified(fingerprint({ never: 'claimed' }), join(work, 'none')),
    ).toMatchObject({ checkpoint: null });
  });

  it('publishes a step again after the retry of an attempt whose answer was lost', async () => {
    const first = await save(100);
    expect(await save(100)).toEqual(first);
    expect(await steps()).toEqual(['100-e1']);
  });

  it('replaces a damaged checkpoint when its step is trained again', async () => {
    await save(100);
    await damage(await save(200));
    await writeFile(join(await stateOf(200), 'extra.bin'), 'other state');
    const again = await store.trainings.publishCheckpoint({
      fingerprint: fp,
      epoch: 1,
      step: 200,
      dir: join(work, 'step-200'),
    });
    expect(await steps()).toEqual(['100-e1', '200-e1']);
    const { checkpoint, skipped } = await store.trainings.newestVerified(fp, join(work, 'mended'));
    expect({ checkpoint, skipped }).toEqual({ checkpoint: again, skipped: [] });
  });

  it('drops older checkpoints only after enough newer ones read back', async () => {
    for (const step of [100, 200, 300]) await save(step);
    await damage(await save(400));
    expect((await store.trainings.prune(fp, 1, 2)).map(({ step }) => step)).toEqual([100]);
    expect(await steps()).toEqual(['200-e1', '300-e1', '400-e1']);
    expect(await store.trainings.prune(fp, 1, 3)).toEqual([]);
    await expect(store.trainings.prune(fp, 1, 1)).rejects.toThrow(RangeError);
    await expect(store.trainings.prune(fp, 9, 2)).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    expect((await store.trainings.newestVerified(fp, join(work, 'after'))).checkpoint?.step).toBe(300);
  });
});
