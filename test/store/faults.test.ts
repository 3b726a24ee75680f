/** Broken networks and killed servers: lost answers, overload, cut bodies, kill -9, stores without conditions. */
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SecpiError } from '../../src/contract/errors.ts';
import { fingerprint, probeStore, sha256Hex } from '../../src/services/store/index.ts';
import type { Store } from '../../src/services/store/index.ts';
import { startProxy } from './proxy.ts';
import type { FaultProxy, SeenRequest } from './proxy.ts';
import { manifestFor, owner } from './samples.ts';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

const MIB = 1024 * 1024;
const text = (value: string): Buffer => Buffer.from(value);
const alive = (): Promise<boolean> => Promise.resolve(true);

let server: TestServer;
let proxy: FaultProxy;
/** Through the proxy. */
let store: Store;

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
});
beforeEach(async () => {
  proxy.decide(() => 'pass');
  store = await server.openStore({ endpoint: proxy.endpoint });
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
});

/** The first `count` requests that match have their answers lost. Returns how many were. */
function loseAnswers(matches: (request: SeenRequest) => boolean, count = 1): () => number {
  let lost = 0;
  proxy.decide((request) => {
    if (lost >= count || !matches(request)) return 'pass';
    lost += 1;
    return 'loseAnswer';
  });
  return () => lost;
}

const codeOf = (error: unknown): string => (error instanceof SecpiError ? error.code : String(error));

const isPutTo =
  (part: string) =>
  ({ method, url }: SeenRequest): boolean =>
    method === 'PUT' && url.includes(part);

describe('a lost answer', () => {
  it('to a creation ends in success', async () => {
    const lost = loseAnswers(isPutTo('/once'));
    expect(await store.objects.putIfAbsent('once', text('mine'))).toBe('same');
    expect(lost()).toBe(1);
    expect(await store.objects.putIfAbsent('once', text('theirs'))).toBe('conflict');
  });

  it('to a replacement ends in success, with the etag that holds', async () => {
    await store.objects.putIfAbsent('head', text('one'));
    const etag = (await store.objects.head('head'))?.etag ?? '';
    const lost = loseAnswers(isPutTo('/head'), 2);
    const outcome = await store.objects.replaceIfMatch('head', text('two'), etag);
    expect(lost()).toBe(2);
    expect(outcome).toEqual({ replaced: true, etag: (await store.objects.head('head'))?.etag });
  });

  it('to a claim leaves one owner with the first epoch', async () => {
    const fp = fingerprint({ lost: 'claim' });
    const lost = loseAnswers(isPutTo('/head.json'));
    const request = { kind: 'filter', fingerprint: fp, owner: owner('a'), isOwnerAlive: alive } as const;
    expect(await store.artifacts.claim(request)).toEqual({ status: 'owned', epoch: 1 });
    expect(lost()).toBe(1);
  });

  it.each([
    ['the manifest', '/manifest-'],
    ['the head', '/head.json'],
    ['everything', ''],
  ])('to the publication of %s ends in one publication', async (_, part) => {
    const fp = fingerprint({ lost: part });
    await store.artifacts.claim({ kind: 'filter', fingerprint: fp, owner: owner('a'), isOwnerAlive: alive });
    const manifest = await manifestFor(store, fp, 1, owner('a'));
    const failedOnce = new Set<string>();
    proxy.decide((request) => {
      if (!isPutTo(part)(request) || failedOnce.has(request.url)) return 'pass';
      failedOnce.add(request.url);
      return 'loseAnswer';
    });
    const ref = await store.artifacts.publish({
      kind: 'filter',
      fingerprint: fp,
      epoch: 1,
      owner: owner('a'),
      manifest,
    });
    expect(failedOnce.size).toBeGreaterThan(0);
    expect(ref).toEqual(store.artifacts.refOf(manifest));
    expect(await store.artifacts.read('filter', fp)).toEqual(manifest);
  });

  it('to the completion of an upload in parts ends in a whole object', async () => {
    const path = join(server.dataDir, '..', 'parts');
    const bytes = randomBytes(20 * MIB);
    await writeFile(path, bytes);
    const lost = loseAnswers(({ method, url }) => method === 'POST' && url.includes('uploadId='));
    expect((await store.objects.putFile('parts', path)).bytes).toBe(bytes.length);
    expect(lost()).toBe(1);
    expect(sha256Hex((await store.objects.get('parts'))?.bytes ?? '')).toBe(sha256Hex(bytes));
  });
});

describe('a store in trouble', () => {
  it.each([503, 500])('that answers %i is asked again', async (status) => {
    let refused = 0;
    proxy.decide(() => {
      refused += 1;
      return refused <= 3 ? status : 'pass';
    });
    expect(await store.objects.putIfAbsent('a', text('x'))).toBe('created');
    expect(refused).toBe(4);
  });

  it('that stays overloaded is told as unavailable, after few attempts', async () => {
    let attempts = 0;
    proxy.decide(() => {
      attempts += 1;
      return 503;
    });
    await expect(store.objects.get('a')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
    expect(attempts).toBe(5);
  });

  it('that fails is told by every operation as unavailable', async () => {
    proxy.decide(() => 500);
    const { objects } = store;
    const unavailable = { code: 'STORE_UNAVAILABLE' };
    await expect(objects.openStream('a')).rejects.toMatchObject(unavailable);
    await expect(objects.head('a')).rejects.toMatchObject(unavailable);
    await expect(objects.putIfAbsent('a', text('x'))).rejects.toMatchObject(unavailable);
    await expect(objects.list('a')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable);
    await expect(objects.abortStaleUploads('', 0)).rejects.toMatchObject(unavailable);
    await expect(objects.ensureBucket({ create: true })).rejects.toMatchObject(unavailable);
  });

  it('that answers 409 to a conditional write is asked again', async () => {
    let conflicts = 0;
    proxy.decide(({ method }) => (method === 'PUT' && (conflicts += 1) <= 3 ? 409 : 'pass'));
    expect(await store.objects.putIfAbsent('a', text('x'))).toBe('created');
    expect(conflicts).toBe(4);
  });

  it('that refuses access is told as such, at once', async () => {
    let attempts = 0;
    proxy.decide(() => {
      attempts += 1;
      return 403;
    });
    await expect(store.objects.get('a')).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' });
    expect(attempts).toBe(1);
  });

  it('that cuts downloads is read on from the byte where it stopped', async () => {
    const bytes = randomBytes(3 * MIB);
    const ref = await store.blobs.putBytes(bytes);
    const ranges: string[] = [];
    proxy.decide(({ method, headers }) => {
      if (method !== 'GET') return 'pass';
      ranges.push(headers.range ?? 'whole');
      return ranges.length <= 3 ? 'cutBody' : 'pass';
    });
    expect((await store.blobs.readBytes(ref)).equals(bytes)).toBe(true);
    expect(ranges.length).toBe(4);
    expect(ranges[0]).toBe('whole');
    expect(ranges[3]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('that cuts the download of a range is read on to the end of the range', async () => {
    const bytes = randomBytes(3 * MIB);
    await store.objects.putIfAbsent('range', bytes);
    const ranges: string[] = [];
    proxy.decide(({ method, headers }) => {
      if (method !== 'GET') return 'pass';
      ranges.push(headers.range ?? 'whole');
      return ranges.length <= 2 ? 'cutBody' : 'pass';
    });
    const [start, length] = [1000, 2 * MIB];
    const found = await store.objects.getRange('range', start, length);
    expect(found?.equals(bytes.subarray(start, start + length))).toBe(true);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBe(`bytes=${start}-${start + length - 1}`);
    expect(ranges[2]).toMatch(new RegExp(`^bytes=\\d+-${start + length - 1}$`));
  });

  it('is never taken for damage of a checkpoint', async () => {
    const fp = fingerprint({ outage: 'resume' });
    await store.trainings.claim(fp, owner('a'), alive);
    const dir = join(server.dataDir, '..');
    await rm(join(dir, 'state'), { recursive: true, force: true });
    await store.blobs.readFolder(
      [{ ...(await store.blobs.putBytes(text('state'))), path: 'a' }],
      join(dir, 'state'),
    );
    await store.trainings.publishCheckpoint({
      fingerprint: fp,
      epoch: 1,
      step: 1,
      dir: join(dir, 'state'),
      evalLoss: null,
      rollbacks: 0,
      final: false,
    });
    proxy.decide(({ url }) => (url.includes('/blobs/') ? 500 : 'pass'));
    await expect(store.trainings.newestVerified(fp, join(dir, 'resumed'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});

describe('an upload in parts that the server completes in words only', () => {
  const isCompletion = ({ method, url }: SeenRequest): boolean =>
    method === 'POST' && url.includes('uploadId=');

  it('is uploaded again', async () => {
    const path = join(server.dataDir, '..', 'words');
    await writeFile(path, randomBytes(17 * MIB));
    let completions = 0;
    proxy.decide((request) => (isCompletion(request) && (completions += 1) === 1 ? 'falseSuccess' : 'pass'));
    const ref = await store.blobs.putFile(path);
    expect(completions).toBe(2);
    await store.blobs.verify(ref);
  });

  it('is uploaded again when its parts are gone at the repeated completion', async () => {
    const path = join(server.dataDir, '..', 'gone');
    await writeFile(path, randomBytes(17 * MIB));
    let completions = 0;
    proxy.decide((request) => (isCompletion(request) && (completions += 1) === 1 ? 400 : 'pass'));
    const ref = await store.blobs.putFile(path);
    expect(completions).toBe(2);
    await store.blobs.verify(ref);
  });

  it('is given up when it happens again and again', async () => {
    const path = join(server.dataDir, '..', 'words');
    await writeFile(path, randomBytes(17 * MIB));
    proxy.decide((request) => (isCompletion(request) ? 'falseSuccess' : 'pass'));
    const upload = store.blobs.putFile(path);
    await expect(upload).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(upload).rejects.toThrow(/nothing is there/);
  });
});

describe('the bytes of an upload', () => {
  it.each([
    ['in one request', 2 * MIB],
    ['in parts', 20 * MIB],
  ])('that change on the way, %s, are refused by the store and sent again', async (_, size) => {
    const path = join(server.dataDir, '..', 'flipped');
    await writeFile(path, randomBytes(size));
    let flipped = 0;
    proxy.decide(({ method, url }) => {
      if (method !== 'PUT' || !url.includes('/blobs/') || flipped > 0) return 'pass';
      flipped += 1;
      return 'flipBody';
    });
    const ref = await store.blobs.putFile(path);
    expect(flipped).toBe(1);
    await store.blobs.verify(ref);
  });

  it.each([2 * MIB, 20 * MIB])(
    'are read back at once, all %i, only where the store tells no checksum',
    async (size) => {
      const path = join(server.dataDir, '..', 'unconfirmed');
      const readBack: boolean[] = [];
      for (const fate of ['pass', 'hideChecksum'] as const) {
        await writeFile(path, randomBytes(size));
        let reads = 0;
        proxy.decide(({ method, url }) => {
          if (method === 'GET' && url.includes('/blobs/')) reads += 1;
          return fate;
        });
        await store.blobs.putFile(path);
        readBack.push(reads > 0);
      }
      expect(readBack).toEqual([false, true]);
    },
  );

  it('that the store says it has otherwise are sent again', async () => {
    const path = join(server.dataDir, '..', 'otherwise');
    await writeFile(path, randomBytes(20 * MIB));
    const key = 'otherwise';
    await store.objects.putFile(key, path);
    await writeFile(path, randomBytes(20 * MIB));
    // The first upload is completed in words only: the object of before is there, of the same size.
    let completions = 0;
    proxy.decide(({ method, url }) =>
      method === 'POST' && url.includes('uploadId=') && (completions += 1) === 1 ? 'falseSuccess' : 'pass',
    );
    expect((await store.objects.putFile(key, path)).isConfirmed).toBe(true);
    expect(completions).toBe(2);
    expect((await store.objects.get(key))?.bytes.equals(await readFile(path))).toBe(true);
  });
});

describe('the probe', () => {
  it.each([
    ['If-None-Match', (request: SeenRequest) => request.headers['if-none-match'] !== undefined],
    ['If-Match', (request: SeenRequest) => request.headers['if-match'] !== undefined],
  ])('refuses a store that does not honour %s, and names it', async (condition, has) => {
    proxy.decide((request) => (has(request) ? 'stripConditions' : 'pass'));
    const error: unknown = await probeStore(store.objects).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_UNFIT' });
    expect(String(error)).toContain(`not honour ${condition}`);
  });

  it('refuses a store that honours conditions only one request at a time', async () => {
    proxy.decide((request) =>
      request.url.includes('/raced?') && request.headers['if-none-match'] !== undefined
        ? 'stripConditions'
        : 'pass',
    );
    await expect(probeStore(store.objects)).rejects.toThrow(/under a race of 8 writers/);
  });
});

describe('a server killed with SIGKILL', () => {
  it(
    'in the middle of uploads shows no torn object, and has them whole after a restart',
    { timeout: 180_000 },
    async () => {
      const path = join(server.dataDir, '..', 'large');
      const bytes = randomBytes(24 * MIB);
      await writeFile(path, bytes);
      const whole = sha256Hex(bytes);
      const outcomes: string[] = [];
      const seen: string[] = [];
      /** At the completion itself in every other round, else after some time. */
      for (let round = 0; round < 8; round += 1) {
        const key = `killed-${round}`;
        let killed: Promise<void> | undefined;
        const kill = (): Promise<void> => (killed ??= server.kill());
        proxy.decide(({ method, url }) => {
          if (round % 2 === 0 && method === 'POST' && url.includes('uploadId='))
            setTimeout(() => void kill(), 15 * round);
          return 'pass';
        });
        const upload = store.objects.putFile(key, path).then(() => 'stored', codeOf);
        if (round % 2 === 1) await sleep(80 * round);
        else await Promise.race([upload, sleep(20_000).then(kill)]);
        await kill();
        outcomes.push(await upload);
        await server.restart();
        proxy.decide(() => 'pass');
        const found = await store.objects.get(key);
        seen.push(found === null ? 'nothing' : sha256Hex(found.bytes));
        expect((await store.objects.putFile(key, path)).bytes).toBe(bytes.length);
        expect(sha256Hex((await store.objects.get(key))?.bytes ?? '')).toBe(whole);
      }
      expect(outcomes.filter((outcome) => outcome !== 'stored' && outcome !== 'STORE_UNAVAILABLE')).toEqual(
        [],
      );
      expect(seen.filter((content) => content !== 'nothing' && content !== whole)).toEqual([]);
      // What was said to be stored was there after the kill.
      expect(outcomes.filter((outcome, round) => outcome === 'stored' && seen[round] !== whole)).toEqual([]);
    },
  );

  it(
    'while it completes uploads, and started again meanwhile, ends in whole objects',
    { timeout: 180_000 },
    async () => {
      const path = join(server.dataDir, '..', 'patient');
      const hashes: string[] = [];
      const stored: string[] = [];
      for (let round = 0; round < 10; round += 1) {
        const bytes = randomBytes(20 * MIB);
        await writeFile(path, bytes);
        hashes.push(sha256Hex(bytes));
        let restarted: Promise<void> | undefined;
        proxy.decide(({ method, url }) => {
          if (method === 'POST' && url.includes('uploadId='))
            restarted ??= sleep(8 * round)
              .then(() => server.kill())
              .then(() => server.restart());
          return 'pass';
        });
        const ref = await patiently(() => store.blobs.putFile(path));
        await restarted;
        await store.blobs.verify(ref);
        stored.push(ref.sha256);
      }
      expect(stored).toEqual(hashes);
    },
  );
});

/** As an activity does it: tried again while the store is unavailable. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    }
  }
}
