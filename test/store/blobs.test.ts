/** Blobs, folders and rows on a real S3 server: what is damaged is told, never handed on. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { BlobRef, FileRef } from '../../src/contract/refs.ts';
import {
  contentHashOfFiles,
  hashParts,
  hashRows,
  readRows,
  sha256Hex,
  writeRows,
} from '../../src/services/store/index.ts';
import type { Store } from '../../src/services/store/index.ts';
import { blobKey } from '../../src/services/store/keys.ts';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

const MIB = 1024 * 1024;

let server: TestServer;
let store: Store;
let local: string;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  local = join(server.dataDir, '..', 'local');
  await mkdir(local);
});
afterAll(() => server.stop());

const pathOfBlob = (ref: BlobRef): string => join(server.dataDir, store.objects.bucket, blobKey(ref.sha256));
const all = async <T>(rows: AsyncIterable<T>): Promise<T[]> => {
  const kept: T[] = [];
  for await (const row of rows) kept.push(row);
  return kept;
};

describe('blobs', () => {
  it('puts bytes once and reads them back', async () => {
    const bytes = randomBytes(1_000);
    const ref = await store.blobs.putBytes(bytes);
    expect(ref).toEqual({
      uri: store.objects.uriOf(blobKey(sha256Hex(bytes))),
      sha256: sha256Hex(bytes),
      bytes: 1_000,
    });
    expect(await store.blobs.putBytes(bytes)).toEqual(ref);
    expect(await store.blobs.readBytes(ref)).toEqual(bytes);
  });

  it('uploads a file only when it is not there', async () => {
    const path = join(local, 'once');
    await writeFile(path, randomBytes(100));
    const ref = await store.blobs.putFile(path);
    const first = await store.objects.head(blobKey(ref.sha256));
    const listed = async (): Promise<Date[]> =>
      (await all(store.objects.list(blobKey(ref.sha256)))).map(({ lastModified }) => lastModified);
    const before = await listed();
    expect(await store.blobs.putFile(path)).toEqual(ref);
    expect(await store.objects.head(blobKey(ref.sha256))).toEqual(first);
    expect(await listed()).toEqual(before);
  });

  it('tells a missing blob', async () => {
    const ref = { uri: 's3://b/gone', sha256: sha256Hex('gone'), bytes: 4 };
    await expect(store.blobs.readBytes(ref)).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    await expect(store.blobs.check(ref)).rejects.toMatchObject({ code: 'BLOB_MISSING' });
  });

  it.each([
    [
      'flipped',
      async (path: string) =>
        writeFile(path, Buffer.concat([Buffer.from('X'), (await readFile(path)).subarray(1)])),
    ],
    ['cut off', (path: string) => truncate(path, 500)],
  ])(
    'tells a blob whose bytes were %s, leaves no file of it, and mends it at the next upload',
    async (_, damage) => {
      const bytes = randomBytes(1_000);
      const source = join(local, 'source');
      await writeFile(source, bytes);
      const ref = await store.blobs.putFile(source);
      await damage(pathOfBlob(ref));
      const target = join(local, 'target', 'file');
      await expect(store.blobs.readBytes(ref)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
      await expect(store.blobs.readToFile(ref, target)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
      expect(await readdir(join(local, 'target'))).toEqual([]);
      await store.blobs.putFile(source);
      await store.blobs.verify(ref);
      await damage(pathOfBlob(ref));
      await store.blobs.putBytes(bytes);
      await store.blobs.readToFile(ref, target);
      expect(await readFile(target)).toEqual(bytes);
      await rm(target);
    },
  );

  it('moves 200 MB with memory bounded', { timeout: 180_000 }, async () => {
    const peakOf = async (mebibytes: number): Promise<number> => {
      const script = join(import.meta.dirname, 'moveBlob.ts');
      const args = [script, server.endpoint, store.objects.bucket, local, String(mebibytes)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return z.object({ peakRssMib: z.number() }).parse(JSON.parse(stdout)).peakRssMib;
    };
    const small = await peakOf(20);
    const large = await peakOf(200);
    expect(large).toBeLessThan(400);
    // Ten times the bytes take no more than the buffers in flight.
    expect(large - small).toBeLessThan(120);
  });
});

describe('folders', () => {
  it('come back as they were, sorted by path, links to files followed', async () => {
    const dir = join(local, 'model');
    await mkdir(join(dir, 'nested', 'deep'), { recursive: true });
    await writeFile(join(dir, 'weights.bin'), randomBytes(2 * MIB));
    await writeFile(join(dir, 'empty'), '');
    await writeFile(join(dir, 'nested', 'deep', 'имя.json'), '{}');
    await symlink(join(dir, 'weights.bin'), join(dir, 'linked.bin'));
    const files = await store.blobs.putFolder(dir);
    expect(files.map(({ path }) => path)).toEqual([
      'empty',
      'linked.bin',
      'nested/deep/имя.json',
      'weights.bin',
    ]);
    const copy = join(local, 'copies', 'model');
    await store.blobs.readFolder(files, copy);
    expect(contentHashOfFiles(await store.blobs.putFolder(copy))).toBe(
      contentHashOfFiles(files.toReversed()),
    );
    // A second time the folder is recognised; with anything else in it, nothing is overwritten.
    await store.blobs.readFolder(files, copy);
    await writeFile(join(copy, 'extra'), 'x');
    await expect(store.blobs.readFolder(files, copy)).rejects.toThrow(/holds other files/);
    expect(await readdir(join(local, 'copies'))).toEqual(['model']);
  });

  it('appear whole or not at all', async () => {
    const ref = await store.blobs.putBytes(randomBytes(10));
    const gone: FileRef = { uri: 's3://b/gone', sha256: sha256Hex('gone'), bytes: 4, path: 'b' };
    const dir = join(local, 'torn', 'model');
    await expect(store.blobs.readFolder([{ ...ref, path: 'a' }, gone], dir)).rejects.toMatchObject({
      code: 'BLOB_MISSING',
    });
    expect(await readdir(join(local, 'torn'))).toEqual([]);
  });

  it.each(['../x', '/etc/passwd', 'a/../../x', 'a//b', './a', 'a/.', 'a\0b'])(
    'refuse the path %j',
    async (path) => {
      const ref = await store.blobs.putBytes(Buffer.from('x'));
      await expect(store.blobs.readFolder([{ ...ref, path }], join(local, 'unsafe'))).rejects.toMatchObject({
        code: 'BLOB_CORRUPT',
      });
    },
  );

  it('refuse a link to a folder', async () => {
    const dir = join(local, 'withLink');
    await mkdir(dir);
    await symlink(local, join(dir, 'up'));
    await expect(store.blobs.putFolder(dir)).rejects.toThrow(/neither a file nor a folder/);
  });
});

describe('rows', () => {
  const rowSchema = z.strictObject({ index: z.int(), text: z.string() });
  const rows = Array.from({ length: 1_000 }, (_, index) => ({
    index,
    text: `строка ${index}   \r end `.repeat(index % 7),
  }));

  it('come back in order, whatever the size of the parts', async () => {
    for (const rowsPerPart of [1_000, 300]) {
      const parts = await writeRows(store.blobs, rows, { rowsPerPart });
      expect(parts.map((part) => part.rows)).toEqual(rowsPerPart === 1_000 ? [1_000] : [300, 300, 300, 100]);
      expect(await all(readRows(store.blobs, parts, {}, rowSchema))).toEqual(rows);
      expect(await hashParts(store.blobs, parts)).toBe(await hashRows(rows));
    }
    expect(await writeRows(store.blobs, [], { rowsPerPart: 10 })).toEqual([]);
  });

  it('give equal parts for equal rows, however they arrive and whatever the order of their keys', async () => {
    async function* slowly(): AsyncGenerator<unknown> {
      for (const { index, text } of rows) {
        if (index % 97 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
        yield { text, index };
      }
    }
    const parts = await writeRows(store.blobs, rows, { rowsPerPart: 400 });
    expect(await writeRows(store.blobs, slowly(), { rowsPerPart: 400 })).toEqual(parts);
  });

  it('are read only from the parts that overlap the range', async () => {
    const parts = await writeRows(store.blobs, rows.slice(0, 30), { rowsPerPart: 10 });
    const [first, second, third] = parts;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('three parts were expected');
    const gone = { ...first, sha256: sha256Hex('gone') };
    expect(await all(readRows(store.blobs, [gone, second, third], { from: 15, to: 22 }, rowSchema))).toEqual(
      rows.slice(15, 22),
    );
    expect(await all(readRows(store.blobs, [gone, second, third], { from: 10, to: 10 }, rowSchema))).toEqual(
      [],
    );
    await expect(
      all(readRows(store.blobs, [gone, second, third], { to: 1 }, rowSchema)),
    ).rejects.toMatchObject({ code: 'BLOB_MISSING' });
  });

  it('are refused when they do not fit', async () => {
    const [part] = await writeRows(store.blobs, [{ index: 'no number', text: '' }], { rowsPerPart: 10 });
    if (part === undefined) throw new Error('a part was expected');
    await expect(all(readRows(store.blobs, [part], {}, rowSchema))).rejects.toThrow(/BLOB_CORRUPT.*index/);
    const counted = { ...part, rows: 2 };
    await expect(all(readRows(store.blobs, [counted], {}, z.unknown()))).rejects.toThrow(
      /2 rows, but holds 1/,
    );
    const plain = { ...(await store.blobs.putBytes(Buffer.from('not compressed'))), rows: 1 };
    await expect(all(readRows(store.blobs, [plain], {}, z.unknown()))).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
    });
  });

  it('leave no temporary file, even when their source fails', async () => {
    async function* failing(): AsyncGenerator<unknown> {
      yield* rows;
      throw new Error('the source failed');
    }
    await expect(writeRows(store.blobs, failing(), { rowsPerPart: 10_000 })).rejects.toThrow(
      'the source failed',
    );
    for await (const row of readRows(
      store.blobs,
      await writeRows(store.blobs, rows, { rowsPerPart: 500 }),
      {},
      rowSchema,
    )) {
      if (row.index === 3) break;
    }
    expect((await readdir(store.blobs.tempDir)).filter((name) => name.includes('.jsonl'))).toEqual([]);
  });
});
