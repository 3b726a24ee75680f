/** A worker that is stopped (SIGSTOP) and wakes up, another that takes over meanwhile, over a real S3 server. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startServer, type TestServer } from '../store/server.ts';
import { startScriptedProcess, type ScriptedProcess } from './scriptedServer.ts';
import { echoOf } from './slowEcho.ts';
import type { LedgerWorkerMessage, LedgerWorkerResult, LedgerWorkerSettings } from './ledgerWorker.ts';

const ROWS = 400;
const CONCURRENCY = 16;
const NEVER_MS = 3_600_000;
const expected = Array.from({ length: ROWS }, (_, at) => echoOf(`row ${at}`));
const SPACE = 'a'.repeat(64);

let s3: TestServer;
beforeAll(async () => {
  s3 = await startServer();
});
afterAll(() => s3.stop());

let endpoint: ScriptedProcess;
let localDir: string;
let bucket: string;
const workers: ChildProcess[] = [];
beforeEach(async () => {
  endpoint = await startScriptedProcess(new URL('slowEcho.ts', import.meta.url), ['40']);
  localDir = await mkdtemp(join(tmpdir(), 'secpi-ledger-'));
  const store = await s3.openStore();
  bucket = store.objects.bucket;
  store.objects.close();
});
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
  await endpoint.stop();
  await rm(localDir, { recursive: true, force: true });
});

function startWorker(flushEveryMs: number): ChildProcess {
  const settings: LedgerWorkerSettings = {
    baseUrl: endpoint.url,
    endpoint: s3.endpoint,
    bucket,
    localDir,
    space: SPACE,
    rows: ROWS,
    concurrency: CONCURRENCY,
    flushEveryMs,
  };
  const path = fileURLToPath(new URL('ledgerWorker.ts', import.meta.url));
  const worker = fork(path, [JSON.stringify(settings)], { execArgv: [] });
  workers.push(worker);
  return worker;
}

async function resultOf(worker: ChildProcess): Promise<LedgerWorkerResult> {
  let result: LedgerWorkerResult | null = null;
  worker.on('message', (message: LedgerWorkerMessage) => {
    if ('result' in message) result = message.result;
  });
  // The last message may come after the exit, but not after the disconnect.
  const [[code]] = await Promise.all([once(worker, 'exit'), once(worker, 'disconnect')]);
  if (result === null) throw new Error(`the worker ended with ${String(code)} and no result`);
  return result;
}

async function journalledLines(): Promise<number> {
  let lines = 0;
  for (const file of await readdir(join(localDir, SPACE)))
    lines += (await readFile(join(localDir, SPACE, file), 'utf8')).split('\n').length - 1;
  return lines;
}

test('who takes over from a stopped worker pays for nothing that it journalled, nor does the stopped one when it wakes', async () => {
  const stopped = startWorker(NEVER_MS);
  const wokenResult = resultOf(stopped);
  for (let done = 0; done < ROWS / 2;) {
    const [message] = (await once(stopped, 'message')) as [LedgerWorkerMessage];
    if ('result' in message) throw new Error('the worker ended before it was stopped');
    done = message.done;
  }
  stopped.kill('SIGSTOP');
  await sleep(100);
  const journalled = await journalledLines();
  expect(journalled).toBeGreaterThanOrEqual(ROWS / 2);

  const result = await resultOf(startWorker(300));
  expect(result.texts).toEqual(expected);
  expect([result.hits, result.requests]).toEqual([journalled, ROWS - journalled]);
  expect(result.recoveredRows, 'the stopped worker keeps its journal').toBe(0);
  expect(await journalledLines()).toBe(journalled);

  await sleep(3_000);
  stopped.kill('SIGCONT');
  const woken = await wokenResult;
  expect(woken.texts).toEqual(expected);
  const { byPrompt, cutOff } = await endpoint.counts();
  const paid = Object.values(byPrompt).map((prompt) => prompt.paid);
  const paidTwice = paid.reduce((sum, times) => sum + Math.max(0, times - 1), 0);
  expect(paid).toHaveLength(ROWS);
  expect(paidTwice + cutOff).toBeLessThanOrEqual(CONCURRENCY);
  expect(await journalledLines()).toBe(0);
  expect(woken.duplicates).toBeLessThanOrEqual(CONCURRENCY);

  const before = (await endpoint.counts()).requests;
  await rm(localDir, { recursive: true, force: true });
  expect(await resultOf(startWorker(300))).toMatchObject({ texts: expected, requests: 0, hits: ROWS });
  expect((await endpoint.counts()).requests).toBe(before);
});
