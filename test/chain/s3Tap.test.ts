/** The tap itself: what it holds, cuts and lets pass, with the real server and the real client. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';
import { startS3Tap, stepOf, tapped, type S3Tap, type TapMatch } from './s3Tap.ts';

const MIB = 1024 * 1024;
const text = (value: string): Buffer => Buffer.from(value);
const putOf =
  (wanted: string): TapMatch =>
  ({ method, key }) =>
    method === 'PUT' && key === wanted;

let server: TestServer;
let tap: S3Tap;
/** Through the tap. */
let store: Store;

beforeAll(async () => {
  server = await startServer();
  tap = await startS3Tap(server.port);
  store = await server.openStore({ endpoint: tap.endpoint });
});
afterAll(async () => {
  await tap?.close();
  await server?.stop();
});

/** Looks beside the tap. */
const isStored = (key: string): boolean => existsSync(join(server.dataDir, store.objects.bucket, key));

describe('the tap', () => {
  it('passes names, bodies of several parts, conditions and listings on', async () => {
    const file = join(store.blobs.tempDir, 'large');
    const bytes = randomBytes(20 * MIB);
    await writeFile(file, bytes);
    const blob = await store.blobs.putFile(file);
    expect((await store.blobs.readBytes(blob)).equals(bytes)).toBe(true);
    await rm(file);
    expect(await store.objects.putIfAbsent('models/a~2Fb/1.json', text('one'))).toBe('created');
    expect(await store.objects.putIfAbsent('models/a~2Fb/1.json', text('two'))).toBe('conflict');
    const keys = await Array.fromAsync(store.objects.list('models/'));
    expect(keys.map(({ key }) => key)).toEqual(['models/a~2Fb/1.json']);
  });

  it('holds a request before the server has it, and then lets it pass; others go on meanwhile', async () => {
    const release = Promise.withResolvers<void>();
    const armed = tap.on('before', putOf('held'), async () => await release.promise);
    const put = store.objects.putIfAbsent('held', text('x'));
    await store.objects.putIfAbsent('other', text('y'));
    await sleep(100);
    expect([isStored('held'), isStored('other')]).toEqual([false, true]);
    release.resolve();
    expect((await armed.done).key).toBe('held');
    expect(await put).toBe('created');
  });

  it('cuts a request that the server never had; what the client tries again is another request', async () => {
    const seen: boolean[] = [];
    tap.on('before', putOf('cut-before'), async () => {
      seen.push(isStored('cut-before'));
      return 'cut';
    });
    expect(await store.objects.putIfAbsent('cut-before', text('x'))).toBe('created');
    expect(seen).toEqual([false]);
  });

  it('cuts within a body: nothing is stored of it', async () => {
    const seen: boolean[] = [];
    const armed = tap.on('during', putOf('cut-during'), async () => {
      await sleep(100);
      seen.push(isStored('cut-during'));
      return 'cut';
    });
    await store.objects.putIfAbsent('cut-during', randomBytes(4 * MIB));
    await armed.done;
    expect(seen).toEqual([false]);
  });

  it('cuts after the server has done it: the client finds its own bytes', async () => {
    const seen: boolean[] = [];
    tap.on('after', putOf('cut-after'), async () => {
      seen.push(isStored('cut-after'));
      return 'cut';
    });
    expect(await store.objects.putIfAbsent('cut-after', text('x'))).toBe('same');
    expect(seen).toEqual([true]);
  });

  it('tells an action that failed to whoever armed it', async () => {
    const armed = tap.on('before', putOf('failing'), async () => {
      throw new Error('no such process');
    });
    await store.objects.putIfAbsent('failing', text('x'));
    await expect(armed.done).rejects.toThrow('no such process');
  });
});

describe('the requests of a training', () => {
  const fingerprint = 'a'.repeat(64);
  const request = (method: string, key: string) => ({ method, key, query: new URLSearchParams() });

  it('are told apart by their keys', () => {
    expect(stepOf(`trainings/${fingerprint}/step-00000040-e000002.json`)).toBe(40);
    expect(stepOf(`trainings/${fingerprint}/head.json`)).toBe(-1);
    expect(tapped.headPut(request('PUT', `trainings/${fingerprint}/head.json`))).toBe(true);
    expect(tapped.headPut(request('GET', `trainings/${fingerprint}/head.json`))).toBe(false);
    expect(tapped.headPut(request('PUT', `artifacts/model/${fingerprint}/head.json`))).toBe(false);
    expect(tapped.blobPut(request('PUT', `blobs/sha256/aa/${fingerprint}`))).toBe(true);
  });
});
