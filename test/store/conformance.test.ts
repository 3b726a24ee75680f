/** What the store promises, against a real S3 server. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import type { ObjectStore } from '../../src/services/store/objectStore.ts';
import { encodeName, runKey } from '../../src/services/store/keys.ts';
import { mapLimit } from '../../src/services/store/parallel.ts';
import { probeStore } from '../../src/services/store/probe.ts';
import { TEST_CREDENTIALS, TEST_REGION, freePort, startServer } from './server.ts';
import type { TestServer } from './server.ts';

const MIB = 1024 * 1024;
const WRITERS = 8;
const ROUNDS = 30;
const text = (value: string): Buffer => Buffer.from(value);

let server: TestServer;
let store: ObjectStore;

beforeAll(async () => {
  server = await startServer();
  store = (await server.openStore({ prefix: '/team/secpi/' })).objects;
});
afterAll(() => server.stop());

const keysUnder = async (prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
};

describe('objects', () => {
  it('reads back what was put, under its prefix', async () => {
    expect(await store.putIfAbsent('plain/a', text('hello'))).toBe('created');
    const found = await store.get('plain/a');
    expect(found?.bytes.toString()).toBe('hello');
    expect(await store.head('plain/a')).toEqual({ bytes: 5, etag: found?.etag });
    expect(store.uriOf('plain/a')).toBe(`s3://${store.bucket}/team/secpi/plain/a`);
    expect(store.keyOf(store.uriOf('plain/a'))).toBe('plain/a');
    expect(store.keyOf(`s3://${store.bucket}/other/plain/a`)).toBeNull();
    expect((await store.inBucket(store.bucket).get('team/secpi/plain/a'))?.bytes.toString()).toBe('hello');
  });

  it.each([
    [0, 1, 'h'],
    [1, 3, 'ell'],
    [4, 1, 'o'],
    [3, 9, 'lo'],
    [5, 1, ''],
    [99, 9, ''],
  ])('reads from byte %i on %i bytes', async (start, bytes, expected) => {
    await store.putIfAbsent('plain/range', text('hello'));
    expect((await store.getRange('plain/range', start, bytes))?.toString()).toBe(expected);
  });

  it('says null for what is not there', async () => {
    expect(await store.getRange('nothing/here', 0, 1)).toBeNull();
    expect(await store.get('nothing/here')).toBeNull();
    expect(await store.head('nothing/here')).toBeNull();
    expect(await store.openStream('nothing/here')).toBeNull();
    await store.delete('nothing/here');
  });

  it('lists by prefix past a page of 1,000, without its own prefix', async () => {
    const keys = Array.from({ length: 1_020 }, (_, index) => `listed/${index}`);
    await mapLimit(keys, 16, (key) => store.putIfAbsent(key, text('x')));
    expect((await keysUnder('listed/')).sort()).toEqual(keys.sort());
    await store.delete('listed/777');
    expect(await keysUnder('listed/777')).toEqual([]);
  });

  it.each(['', '.', '..', 'a/b', '../../etc', 'модель ✓', '%2e%2e', 'x'.repeat(255)])(
    'holds an object under the name %j',
    async (name) => {
      const key = runKey(name, encodeName(name).slice(0, 40), 'summary.json');
      expect(await store.putIfAbsent(key, text(name))).toBe('created');
      expect((await store.get(key))?.bytes.toString()).toBe(name);
      expect(await keysUnder(key)).toEqual([key]);
    },
  );
});

describe('conditional writes', () => {
  it('tells created, same and conflict apart', async () => {
    expect(await store.putIfAbsent('cond/a', text('one'))).toBe('created');
    expect(await store.putIfAbsent('cond/a', text('one'))).toBe('same');
    expect(await store.putIfAbsent('cond/a', text('two'))).toBe('conflict');
    expect((await store.get('cond/a'))?.bytes.toString()).toBe('one');
  });

  it('replaces only what has the etag', async () => {
    await store.putIfAbsent('cond/b', text('one'));
    const before = await store.head('cond/b');
    const first = await store.replaceIfMatch('cond/b', text('two'), before?.etag ?? '');
    expect(first).toEqual({ replaced: true, etag: (await store.head('cond/b'))?.etag });
    expect(await store.replaceIfMatch('cond/b', text('three'), before?.etag ?? '')).toEqual({
      replaced: false,
    });
    // The own bytes are there already: an answer was lost.
    expect((await store.replaceIfMatch('cond/b', text('two'), before?.etag ?? '')).replaced).toBe(true);
    expect(await store.replaceIfMatch('cond/absent', text('x'), before?.etag ?? '')).toEqual({
      replaced: false,
    });
    expect(await store.head('cond/absent')).toBeNull();
  });

  it(`lets exactly one of ${WRITERS} writers create, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = `race/create-${round}`;
      const outcomes = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) => store.putIfAbsent(key, text(`writer ${writer}`))),
      );
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(WRITERS - 1);
      expect((await store.get(key))?.bytes.toString()).toBe(`writer ${outcomes.indexOf('created')}`);
    }
  });

  it(`lets exactly one of ${WRITERS} writers replace, in ${ROUNDS} rounds`, async () => {
    await store.putIfAbsent('race/replace', text('start'));
    for (let round = 0; round < ROUNDS; round += 1) {
      const etag = (await store.head('race/replace'))?.etag ?? '';
      const bytes = (writer: number): Buffer => text(`round ${round} writer ${writer}`);
      const outcomes = await Promise.all(
        Array.from({ length: WRITERS }, (_, writer) =>
          store.replaceIfMatch('race/replace', bytes(writer), etag),
        ),
      );
      const winner = outcomes.findIndex(({ replaced }) => replaced);
      expect(outcomes.filter(({ replaced }) => replaced)).toHaveLength(1);
      expect((await store.get('race/replace'))?.bytes).toEqual(bytes(winner));
    }
  });

  it('passes the probe and leaves nothing behind', async () => {
    await probeStore(store);
    expect(await keysUnder('probe/')).toEqual([]);
  });
});

describe('files', () => {
  it.each([0, 1, 16 * MIB, 16 * MIB + 1, 25 * MIB])('uploads and streams back %i bytes', async (size) => {
    const path = join(server.dataDir, '..', `file-${size}`);
    const bytes = randomBytes(size);
    await writeFile(path, bytes);
    const stored = await store.putFile(`files/${size}`, path);
    expect(stored.bytes).toBe(size);
    const found = await store.get(`files/${size}`);
    expect(found?.bytes.equals(bytes)).toBe(true);
    expect(found?.etag).toBe(stored.etag);
  });

  it.each([5, 20 * MIB])(
    'never completes an upload of %i bytes that are not the ones hashed',
    async (size) => {
      const path = join(server.dataDir, '..', `changed-${size}`);
      await writeFile(path, randomBytes(size));
      await expect(store.putFile(`changed/${size}`, path, { sha256: '0'.repeat(64) })).rejects.toMatchObject({
        code: 'INTERNAL',
      });
      expect(await store.head(`changed/${size}`)).toBeNull();
    },
  );

  it('stops an upload when cancelled, and leaves nothing of it', async () => {
    const path = join(server.dataDir, '..', 'cancelled');
    await writeFile(path, randomBytes(80 * MIB));
    const control = new AbortController();
    const upload = store.putFile('cancelled', path, { signal: control.signal });
    setTimeout(() => control.abort(), 100);
    await expect(upload).rejects.toMatchObject({ name: 'AbortError' });
    expect(await store.head('cancelled')).toBeNull();
    expect(await store.abortStaleUploads('', -60_000)).toBe(0);
  });

  it('sweeps uploads that nobody will finish, and only old ones', async () => {
    const client = new S3Client({
      endpoint: server.endpoint,
      region: TEST_REGION,
      credentials: TEST_CREDENTIALS,
      forcePathStyle: true,
    });
    const Key = 'team/secpi/left/behind';
    await client.send(
      new CreateMultipartUploadCommand({ Bucket: store.bucket, Key, ChecksumAlgorithm: 'CRC32' }),
    );
    expect(await store.abortStaleUploads('', 60_000)).toBe(0);
    expect(await store.abortStaleUploads('right/', -60_000)).toBe(0);
    expect(await store.abortStaleUploads('left/', -60_000)).toBe(1);
    expect(await store.abortStaleUploads('', -60_000)).toBe(0);
    client.destroy();
  });
});

describe('failures', () => {
  const settings = { region: TEST_REGION, credentials: TEST_CREDENTIALS, bucket: 'no-such-bucket' };

  it('names a missing bucket, and creates it only when asked', async () => {
    const missing = createObjectStore({ ...settings, endpoint: server.endpoint });
    await expect(missing.ensureBucket()).rejects.toMatchObject({ code: 'BUCKET_MISSING' });
    await expect(missing.get('a')).rejects.toMatchObject({ code: 'BUCKET_MISSING' });
    await expect(missing.putIfAbsent('a', text('x'))).rejects.toMatchObject({ code: 'BUCKET_MISSING' });
    await missing.ensureBucket({ create: true });
    await missing.ensureBucket({ create: true });
    expect(await missing.putIfAbsent('a', text('x'))).toBe('created');
  });

  it('names wrong credentials', async () => {
    const stranger = { accessKeyId: TEST_CREDENTIALS.accessKeyId, secretAccessKey: 'not-the-secret' };
    const denied = createObjectStore({ ...settings, endpoint: server.endpoint, credentials: stranger });
    await expect(denied.ensureBucket()).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' });
    const error: unknown = await denied.get('a').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
    expect(String(error)).not.toContain('not-the-secret');
  });

  it('names a server that does not answer', async () => {
    const absent = createObjectStore({ ...settings, endpoint: `http://127.0.0.1:${await freePort()}` });
    await expect(absent.get('a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  it.each(['../up', 'a//b', './a'])('refuses the prefix %j', (prefix) => {
    expect(() => createObjectStore({ ...settings, prefix })).toThrow(/prefix/);
  });
});
