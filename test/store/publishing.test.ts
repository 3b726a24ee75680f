/** Claims, fencing and publication of artefacts and checkpoints, on a real S3 server. */
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
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
  const save = async (step: number, epoch = 1, told: { evalLoss?: number; final?: boolean } = {}) => {
    const { checkpoint } = await store.trainings.publishCheckpoint({
      fingerprint: fp,
      epoch,
      step,
      dir: await stateOf(step),
      evalLoss: null,
      rollbacks: 0,
      final: false,
      ...told,
    });
    return checkpoint;
  };
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
    const { checkpoint: again } = await store.trainings.publishCheckpoint({
      fingerprint: fp,
      epoch: 1,
      step: 200,
      dir: join(work, 'step-200'),
      evalLoss: null,
      rollbacks: 0,
      final: false,
    });
    expect(await steps()).toEqual(['100-e1', '200-e1']);
    const { checkpoint, skipped } = await store.trainings.newestVerified(fp, join(work, 'mended'));
    expect({ checkpoint, skipped }).toEqual({ checkpoint: again, skipped: [] });
  });

  it('drops older checkpoints only after enough newer ones read back', async () => {
    for (const step of [100, 200, 300]) await save(step);
    await damage(await save(400));
    const { dropped, damaged } = await store.trainings.prune(fp, 1, 2);
    expect(dropped.map(({ step }) => step)).toEqual([100]);
    expect(damaged).toMatchObject([{ step: 400, epoch: 1, problem: expect.stringContaining('SHA-256') }]);
    expect(await steps()).toEqual(['200-e1', '300-e1', '400-e1']);
    expect((await store.trainings.prune(fp, 1, 3)).dropped).toEqual([]);
    await expect(store.trainings.prune(fp, 1, 1)).rejects.toThrow(RangeError);
    await expect(store.trainings.prune(fp, 9, 2)).rejects.toMatchObject({ code: 'HEAD_FENCED' });
    expect((await store.trainings.newestVerified(fp, join(work, 'after'))).checkpoint?.step).toBe(300);
  });

  it('keeps the best and the final checkpoint beside the newest, those that read back', async () => {
    await save(100, 1, { evalLoss: 0.9 });
    await damage(await save(200, 1, { evalLoss: 0.5 }));
    await save(300, 1, { evalLoss: 0.7 });
    await save(400, 1, { evalLoss: 0.8, final: true });
    for (const step of [500, 600, 700]) await save(step, 1, { evalLoss: 1 });
    const { dropped, damaged } = await store.trainings.prune(fp, 1, 2);
    expect(dropped.map(({ step }) => step)).toEqual([100, 200, 500]);
    expect(damaged.map(({ step }) => step)).toEqual([200]);
    expect(await store.trainings.list(fp)).toMatchObject([
      { step: 300, evalLoss: 0.7, final: false },
      { step: 400, evalLoss: 0.8, final: true },
      { step: 600 },
      { step: 700 },
    ]);
    expect(await store.objects.head(`trainings/${fp}/step-00000200-e000001.json`)).toBeNull();
    expect((await store.trainings.prune(fp, 1, 2)).dropped).toEqual([]);
  });

  it('reads the checkpoint that is asked for, with what was told of it', async () => {
    await save(100, 1, { evalLoss: 0.25 });
    await save(200);
    const [best, newest] = await store.trainings.list(fp);
    if (best === undefined || newest === undefined) throw new Error('two were published');
    const dir = join(work, 'best');
    const checkpoint = await store.trainings.read(best, dir);
    expect(checkpoint).toMatchObject({ step: 100, evalLoss: 0.25, rollbacks: 0, final: false });
    expect(await readFile(join(dir, 'adapter.bin'), 'utf8')).toBe(`${fp} weights of 100`);
    const pathOf = (key: string): string => join(server.dataDir, store.objects.bucket, key);
    await writeFile(pathOf(newest.key), '{}');
    await expect(store.trainings.read(newest, join(work, 'changed'))).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
    });
  });

  it.each([
    ['a flipped byte in a blob', 'SHA-256', 'blob', flipByte],
    ['a missing blob', 'is not there', 'blob', (path: string) => rm(path)],
    ['a flipped byte in the manifest', 'was changed', 'manifest', flipByte],
    ['a missing manifest', 'is not there', 'manifest', (path: string) => rm(path)],
  ] as const)('reports %s of the newest checkpoint, and uses the one before', async (_, told, what, harm) => {
    await save(100);
    const { files } = await save(200);
    const key =
      what === 'blob'
        ? blobKey(files.find(({ path }) => path === 'adapter.bin')?.sha256 ?? '')
        : `trainings/${fp}/step-00000200-e000001.json`;
    await harm(join(server.dataDir, store.objects.bucket, key));
    const { checkpoint, skipped } = await store.trainings.newestVerified(fp, join(work, 'before'));
    expect(checkpoint?.step).toBe(100);
    expect(skipped).toMatchObject([{ step: 200, epoch: 1, problem: expect.stringContaining(told) }]);
    expect(skipped[0]?.problem).toContain(store.objects.uriOf(key));
  });

  it('names its head when that is damaged, and neither resumes nor publishes over it', async () => {
    await save(100);
    const key = `trainings/${fp}/head.json`;
    await writeFile(join(server.dataDir, store.objects.bucket, key), '{"epoch": 1, "owner": ');
    for (const use of [
      () => store.trainings.newestVerified(fp, join(work, 'none')),
      () => store.trainings.claim(fp, owner('b'), dead),
      () => save(200),
      () => store.trainings.prune(fp, 1, 2),
    ]) {
      const failing = use();
      await expect(failing).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
      await expect(failing).rejects.toThrow(store.objects.uriOf(key));
    }
  });

  it('lets only the newer of two writers publish', async () => {
    await store.trainings.claim(fp, owner('b'), dead);
    const outcomes = await Promise.allSettled([1, 2, 1, 2].map((epoch, at) => save(100 + at, epoch)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await steps()).toEqual(['101-e2', '103-e2']);
  });
});

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
