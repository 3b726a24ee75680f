/** Real processes, a real S3 server, real SIGKILL between any two steps of a batch: every row answered, none paid twice. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../store/server.ts';
import { answerTo, startBatchProcess, type BatchProcess, type Scenario } from './batchServer.ts';
import type { BatchWorkerResult, BatchWorkerSettings } from './batchWorker.ts';

const ROWS = 40;
const prompts = Array.from({ length: ROWS }, (_, at) => `row ${at}`);
const expected = prompts.map(answerTo);
const eachOnce = Object.fromEntries(prompts.map((prompt) => [prompt, 1]));

let s3: TestServer;
beforeAll(async () => {
  s3 = await startServer();
});
afterAll(() => s3.stop());

let localDir: string;
let bucket: string;
let provider: BatchProcess | null = null;
beforeEach(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'secpi-batch-'));
  const store = await s3.openStore();
  bucket = store.objects.bucket;
  store.objects.close();
});
afterEach(async () => {
  await provider?.stop();
  await rm(localDir, { recursive: true, force: true });
});

async function serve(scenario: Scenario = {}): Promise<BatchProcess> {
  provider = await startBatchProcess(scenario);
  return provider;
}

async function work(
  server: BatchProcess,
  kill: BatchWorkerSettings['kill'],
): Promise<BatchWorkerResult | NodeJS.Signals> {
  const settings: BatchWorkerSettings = {
    baseUrl: server.url,
    endpoint: s3.endpoint,
    bucket,
    localDir,
    rows: ROWS,
    kill,
  };
  const child = fork(fileURLToPath(new URL('batchWorker.ts', import.meta.url)), [JSON.stringify(settings)], {
    execArgv: [],
  });
  let result: BatchWorkerResult | null = null;
  child.on('message', (message) => {
    result = message as BatchWorkerResult;
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (signal !== null) return signal;
  if (result === null) throw new Error(`the worker ended with ${code} and no result`);
  return result;
}

const STEPS: [string, BatchWorkerSettings['kill']][] = [
  ['before the record', { when: 'before', call: 'record absent', times: 1 }],
  ['between record and upload', { when: 'after', call: 'record absent', times: 1 }],
  ['before the upload is sent', { when: 'before', call: 'POST /v1/files', times: 1 }],
  ['between upload and its id', { when: 'after', call: 'POST /v1/files', times: 1 }],
  ['before the creation is sent', { when: 'before', call: 'POST /v1/batches', times: 1 }],
  ['between creation and its id', { when: 'after', call: 'POST /v1/batches', times: 1 }],
  ['before the id is stored', { when: 'before', call: 'record created', times: 1 }],
  ['between id and first poll', { when: 'after', call: 'record created', times: 1 }],
  ['between two polls', { when: 'after', call: 'GET /v1/batches/batch_1', times: 2 }],
  ['before the download', { when: 'before', call: 'content', times: 1 }],
  ['between download and first append', { when: 'before', call: 'append', times: 1 }],
  ['after half of the appends', { when: 'after', call: 'append', times: ROWS / 2 }],
  ['between appends and flush', { when: 'before', call: 'flush', times: 1 }],
  ['between flush and done', { when: 'before', call: 'record done', times: 1 }],
  ['after done', { when: 'after', call: 'record done', times: 1 }],
];

describe('a client killed with SIGKILL', () => {
  test.each(STEPS)('%s: every row answered, each paid once', async (_, kill) => {
    const server = await serve({ runMs: 120, otherJobs: 5, pageSize: 2 });
    expect(await work(server, kill)).toBe('SIGKILL');
    const result = await work(server, null);
    expect(result).toMatchObject({ texts: expected });
    const counts = await server.counts();
    expect(counts.paid).toEqual(eachOnce);
    expect(counts.created).toBe(1);
    // The same money whoever died: the answers are the artefact's.
    expect((result as BatchWorkerResult).costUsd).toBeCloseTo((ROWS * 15) / 1e6, 12);
  });

  test('after half of the appends, and its host is lost: the rest comes from the provider, unpaid', async () => {
    const server = await serve({ runMs: 60 });
    expect(await work(server, { when: 'after', call: 'append', times: ROWS / 2 })).toBe('SIGKILL');
    await rm(localDir, { recursive: true, force: true });
    expect(await work(server, null)).toMatchObject({ texts: expected });
    expect((await server.counts()).paid).toEqual(eachOnce);
  });

  test('at every step in turn, on the way to one result', { timeout: 240_000 }, async () => {
    const server = await serve({ runMs: 300, otherJobs: 3 });
    for (const [, kill] of STEPS) await work(server, kill);
    expect(await work(server, null)).toMatchObject({ texts: expected });
    expect((await server.counts()).paid).toEqual(eachOnce);
  });

  test('in the second attempt, where a first batch expired half-way', async () => {
    const server = await serve({ runMs: 60, jobs: [{ kind: 'expire', after: 15 }, { kind: 'complete' }] });
    expect(await work(server, { when: 'after', call: 'POST /v1/batches', times: 2 })).toBe('SIGKILL');
    expect(await work(server, null)).toMatchObject({ texts: expected });
    const counts = await server.counts();
    expect(counts.paid).toEqual(eachOnce);
    expect(counts.created).toBe(2);
  });
});

test('a finished run again: nothing is asked, and the records stay as they are', async () => {
  const server = await serve();
  await work(server, null);
  const before = await server.counts();
  expect(await work(server, null)).toMatchObject({ texts: expected, requests: 0, ledgerHits: ROWS });
  expect(await server.counts()).toEqual(before);
});
