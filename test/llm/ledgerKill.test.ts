/** Real processes, a real S3 server, real SIGKILL: what was paid for survives, and nothing is paid twice beyond what was in flight. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../store/server.ts';
import { startScriptedProcess, type ScriptedProcess } from './scriptedServer.ts';
import { echoOf } from './slowEcho.ts';
import type { WorkerMessage, WorkerSettings } from './rowsWorker.ts';

const ROWS = 400;
const CONCURRENCY = 16;
const expected = Array.from({ length: ROWS }, (_, at) => echoOf(`row ${at}`));

let s3: TestServer;
beforeAll(async () => {
  s3 = await startServer();
});
afterAll(() => s3.stop());

let endpoint: ScriptedProcess;
let localDir: string;
let bucket: string;
beforeEach(async () => {
  endpoint = await startScriptedProcess(new URL('slowEcho.ts', import.meta.url), ['40']);
  localDir = await mkdtemp(join(tmpdir(), 'secpi-ledger-'));
  const store = await s3.openStore();
  bucket = store.objects.bucket;
  store.objects.close();
});
afterEach(async () => {
  await endpoint.stop();
  await rm(localDir, { recursive: true, force: true });
});

function startWorker(settings: Partial<WorkerSettings> = {}): ChildProcess {
  const all: WorkerSettings = {
    baseUrl: endpoint.url,
    endpoint: s3.endpoint,
    bucket,
    localDir,
    from: 0,
    rows: ROWS,
    concurrency: CONCURRENCY,
    flushEveryMs: 300,
    ...settings,
  };
  return fork(fileURLToPath(new URL('rowsWorker.ts', import.meta.url)), [JSON.stringify(all)], {
    execArgv: [],
  });
}

async function killAt(worker: ChildProcess, rows: number): Promise<number> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [WorkerMessage];
    if ('result' in message) throw new Error('the worker ended before it was killed');
    if (message.done < rows) continue;
    const ended = once(worker, 'exit');
    worker.kill('SIGKILL');
    await ended;
    return message.done;
  }
}

async function resultOf(worker: ChildProcess): Promise<Extract<WorkerMessage, { result: object }>['result']> {
  // The last message may come after the exit, but not after the disconnect.
  const ended = Promise.all([once(worker, 'exit'), once(worker, 'disconnect')]);
  let result: Extract<WorkerMessage, { result: object }>['result'] | null = null;
  worker.on('message', (message: WorkerMessage) => {
    if ('result' in message) result = message.result;
  });
  const [[code]] = await ended;
  if (result === null) throw new Error(`the worker ended with ${String(code)} and no result`);
  return result;
}

async function paidTwice(): Promise<{ paidTwice: number; cutOff: number; unpaid: number }> {
  const counts = await endpoint.counts();
  const paid = Object.values(counts.byPrompt).map((prompt) => prompt.paid);
  return {
    paidTwice: paid.reduce((sum, times) => sum + Math.max(0, times - 1), 0),
    cutOff: counts.cutOff,
    unpaid: paid.filter((times) => times === 0).length,
  };
}

async function journals(): Promise<string[]> {
  const [space] = await readdir(localDir);
  return space === undefined
    ? []
    : (await readdir(join(localDir, space))).map((file) => join(localDir, space, file));
}

describe('a worker killed with SIGKILL half-way', () => {
  test.each([
    ['between flushes to S3', 300],
    ['before any flush to S3', 3_600_000],
  ])('%s: none lost, none doubled, paid twice + cut off ≤ concurrency', async (_, flushEveryMs) => {
    const doneAtKill = await killAt(startWorker({ flushEveryMs }), ROWS / 2);
    expect(await journals()).not.toEqual([]);
    const result = await resultOf(startWorker());
    expect(result.texts).toEqual(expected);
    const { paidTwice: twice, cutOff, unpaid } = await paidTwice();
    expect(unpaid).toBe(0);
    expect(twice + cutOff).toBeLessThanOrEqual(CONCURRENCY);
    expect(twice + cutOff, 'the kill came in the middle of requests').toBeGreaterThan(0);
    expect(result.ledgerHits).toBeGreaterThanOrEqual(doneAtKill);
    // Those of the dead process that brought an answer are counted with it.
    expect(result.requests).toBe(ROWS);
    expect(await journals()).toEqual([]);
  });

  test('a torn last line is dropped and its row is asked again', async () => {
    await killAt(startWorker({ flushEveryMs: 3_600_000 }), 50);
    const [journal = ''] = await journals();
    await appendFile(journal, '{"key":"0123456789');
    const result = await resultOf(startWorker());
    expect(result.texts).toEqual(expected);
    expect(result.recoveredRows).toBeGreaterThanOrEqual(50);
    expect((await paidTwice()).unpaid).toBe(0);
  });

  test('three kills in a row: the bound holds for each', async () => {
    for (const rows of [100, 200, 300]) await killAt(startWorker(), rows);
    const result = await resultOf(startWorker());
    expect(result.texts).toEqual(expected);
    const { paidTwice: twice, cutOff } = await paidTwice();
    expect(twice + cutOff).toBeLessThanOrEqual(3 * CONCURRENCY);
  });
});

test('a finished run again, from S3 alone: nothing is asked, the same answers', async () => {
  await resultOf(startWorker());
  const before = (await endpoint.counts()).requests;
  await rm(localDir, { recursive: true, force: true });
  const again = await resultOf(startWorker());
  expect(again).toMatchObject({ texts: expected, requests: ROWS, ledgerHits: ROWS });
  expect((await endpoint.counts()).requests).toBe(before);
});

test('two processes at once leave each other’s live journals alone, and a kill of one costs the other nothing', async () => {
  const half = ROWS / 2;
  const first = startWorker({ rows: half, flushEveryMs: 3_600_000 });
  const second = startWorker({ from: half, rows: half, flushEveryMs: 3_600_000 });
  const secondResult = resultOf(second);
  await killAt(first, half / 2);
  const firstAgain = await resultOf(startWorker({ rows: half }));
  expect([...firstAgain.texts, ...(await secondResult).texts]).toEqual(expected);
  const { paidTwice: twice, cutOff, unpaid } = await paidTwice();
  expect(unpaid).toBe(0);
  expect(twice + cutOff).toBeLessThanOrEqual(CONCURRENCY);
  expect(await journals()).toEqual([]);
});

test('the S3 server dies for a while: answers wait on disk, nothing is paid twice', async () => {
  const worker = startWorker({ flushEveryMs: 100 });
  const result = resultOf(worker);
  await once(worker, 'message');
  await s3.kill();
  await new Promise((resolve) => setTimeout(resolve, 700));
  await s3.restart();
  expect((await result).texts).toEqual(expected);
  expect(await paidTwice()).toEqual({ paidTwice: 0, cutOff: 0, unpaid: 0 });
});
