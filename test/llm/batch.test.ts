/** Rows through a provider's batch interface over real HTTP: what files may hold, how jobs end, money, and an end by abort. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SecpiError } from '../../src/contract/errors.ts';
import type { Purse } from '../../src/services/budget/types.ts';
import { createBatchClient } from '../../src/services/llm/batch/client.ts';
import { batchKeyOf, batchRecordKey, BatchRecords } from '../../src/services/llm/batch/record.ts';
import { runBatchRequests, type RunBatchOptions } from '../../src/services/llm/batch/runBatch.ts';
import { openLedger, type Ledger } from '../../src/services/llm/ledger.ts';
import { answerSpace, requestKey } from '../../src/services/llm/requestKey.ts';
import type { RowResult, RunProgress } from '../../src/services/llm/runRows.ts';
import { bodyOf } from '../../src/services/llm/wire.ts';
import type { ObjectStore } from '../../src/services/store/objectStore.ts';
import { freePort, startServer, type TestServer } from '../store/server.ts';
import { answerTo, startBatchServer, type BatchServer, type Scenario } from './batchServer.ts';

const sampling = { temperature: 0, topP: 1, maxTokens: 100, seed: 7 };
const identity = { model: 'scripted', revision: '1', promptVersion: 'batch-1' };
const space = answerSpace(identity, sampling);
const price = { prompt: 1, completion: 2 };
const ANSWER_USD = (10 * price.prompt + 5 * price.completion) / 1e6;

let s3: TestServer;
beforeAll(async () => {
  s3 = await startServer();
});
afterAll(() => s3.stop());

let localDir: string;
let objects: ObjectStore;
let ledger: Ledger;
const servers: BatchServer[] = [];
beforeEach(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'secpi-batch-'));
  ({ objects } = await s3.openStore());
  ledger = await openLedger({ objects, space, localDir });
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await ledger.close();
  objects.close();
  await rm(localDir, { recursive: true, force: true });
});

async function serve(scenario: Scenario = {}): Promise<BatchServer> {
  const server = await startBatchServer(scenario);
  servers.push(server);
  return server;
}

type Options = RunBatchOptions<string, string>;
function run(url: string, rows: readonly string[], options: Partial<Options> = {}) {
  return runBatchRequests<string, string>({
    rows,
    toRequest: (row) => ({ rowId: row, index: 0, messages: [{ role: 'user', content: row }], sampling }),
    interpret: ({ text }) => text,
    identity,
    payer: 'a test',
    price,
    ledger,
    openai: createBatchClient({ baseUrl: url, apiKey: 'key-for-tests', timeoutMs: 5_000 }),
    endpoint: { baseUrl: url, model: 'scripted', timeoutMs: 5_000, apiKey: 'key-for-tests' },
    tokenLimitField: 'max_tokens',
    objects,
    space,
    pollEveryMs: 15,
    ...options,
    limits: { backoff: { firstMs: 5, maxMs: 30 }, ...options.limits },
  });
}

const rowsOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `row ${at}`);
const keyOf = (row: string): string =>
  requestKey(identity, { messages: [{ role: 'user', content: row }], sampling }, 0);
const texts = (results: readonly RowResult<string>[]): string[] =>
  results.map((result) => (result.kind === 'answered' ? result.value : `dead: ${result.error.code}`));
const once = (rows: readonly string[]): Record<string, number> =>
  Object.fromEntries(rows.map((row) => [row, 1]));

async function failureOf(work: Promise<unknown>): Promise<SecpiError> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof SecpiError)) throw new Error(`no SecpiError: ${String(outcome)}`);
  return outcome;
}

interface Spent {
  readonly purse: Purse;
  readonly reserved: number[];
  readonly ended: (number | 'released' | 'abandoned')[];
}
function purse(): Spent {
  const spent = { reserved: [] as number[], ended: [] as Spent['ended'] };
  return {
    ...spent,
    purse: {
      reserve: async (worstUsd) => {
        spent.reserved.push(worstUsd);
        return {
          settle: (usd) => void spent.ended.push(usd),
          release: () => void spent.ended.push('released'),
          abandon: () => void spent.ended.push('abandoned'),
        };
      },
    },
  };
}
/** 4 bytes and a template of 16 tokens for a prompt like `row 7`. */
const worstUsdOf = (row: string): number =>
  ((row.length + 16) * price.prompt + sampling.maxTokens * price.completion) / 1e6;

describe('answers', () => {
  test('come by position; the body is that of the chat path, the job carries its name', async () => {
    const server = await serve({ runMs: 1_000 });
    const rows = rowsOf(30);
    const progress: RunProgress[] = [];
    const states: string[] = [];
    const { results, usage } = await run(server.url, rows, {
      onProgress: (now) => progress.push(now),
      onState: (text) => states.push(text),
    });
    expect(texts(results)).toEqual(rows.map(answerTo));
    expect(usage).toMatchObject({ requests: 30, retries: 0, ledgerHits: 0, promptTokens: 300 });
    expect(usage.costUsd).toBeCloseTo(30 * ANSWER_USD, 12);
    const { bodies, metadata, paid } = server.counts();
    expect(paid).toEqual(once(rows));
    expect(bodies[3]).toEqual(
      bodyOf(
        { messages: [{ role: 'user', content: 'row 3' }], sampling, index: 0 },
        { model: 'scripted', tokenLimitField: 'max_tokens' },
      ),
    );
    expect(metadata).toEqual([{ secpi: batchKeyOf(rows.map(keyOf), 1) }]);
    expect(progress.at(-1)).toMatchObject({ done: 30, total: 30, dead: 0 });
    expect(states.at(-1)).toBe('batch batch_1: completed, 30 of 30 answered');
    expect(states.at(-2)).toBe('batch batch_1: in_progress, 0 of 30 answered');
  });

  test('are in the store before the record says so', async () => {
    const server = await serve();
    await run(server.url, rowsOf(5));
    const name = batchRecordKey(space, batchKeyOf(rowsOf(5).map(keyOf), 1));
    const record = JSON.parse(String((await objects.get(name))?.bytes)) as object;
    expect(record).toMatchObject({ state: 'done', batchId: 'batch_1', requests: 5, payer: 'a test' });
    expect(ledger.counts().unpublished).toBe(0);
  });

  test('that the ledger has are not asked; another artefact pays nothing for them', async () => {
    const server = await serve();
    await run(server.url, rowsOf(20), { payer: 'the artefact before' });
    const again = await run(server.url, rowsOf(25));
    expect(texts(again.results)).toEqual(rowsOf(25).map(answerTo));
    expect(again.usage).toMatchObject({ requests: 5, ledgerHits: 20, promptTokens: 50 });
    expect(server.counts().paid).toEqual(once(rowsOf(25)));
  });

  test('are shared by rows that ask the same, and paid once', async () => {
    const server = await serve();
    const { results, usage } = await run(server.url, ['same', 'other', 'same']);
    expect(texts(results)).toEqual(['same', 'other', 'same'].map(answerTo));
    expect(usage).toMatchObject({ requests: 2, ledgerHits: 1, promptTokens: 20 });
  });

  test('that cannot be used make a dead letter that keeps them', async () => {
    const server = await serve();
    const { results } = await run(server.url, ['good', 'bad'], {
      interpret: ({ text }) => {
        if (text.includes('bad')) throw new SecpiError('ANSWER_UNUSABLE', 'not JSON.');
        return text;
      },
    });
    expect(texts(results)).toEqual([answerTo('good'), 'dead: ANSWER_UNUSABLE']);
    expect(results[1]?.answer?.text).toBe(answerTo('bad'));
    expect(server.counts().created).toBe(1);
  });

  test('end the run with the error of whoever reads them, at once', async () => {
    const server = await serve();
    const defect = new TypeError('a defect');
    await expect(
      run(server.url, rowsOf(3), {
        interpret: () => {
          throw defect;
        },
      }),
    ).rejects.toBe(defect);
    expect(server.counts().downloads).toBe(1);
  });
});

describe('result files', () => {
  test('with lines twice, of nobody, in any order: the first line of a row counts', async () => {
    const server = await serve({ rows: { 'row 1': [{ kind: 'twice' }] }, foreignLines: true });
    const { results } = await run(server.url, rowsOf(4));
    // The server writes its lines in reverse.
    expect(texts(results)).toEqual([
      answerTo('row 0'),
      'another answer',
      answerTo('row 2'),
      answerTo('row 3'),
    ]);
    expect(server.counts().created).toBe(1);
  });

  test('cut in the download are read again, nothing is asked again', async () => {
    const server = await serve({ cutDownloads: 2 });
    const { results } = await run(server.url, rowsOf(9));
    expect(texts(results)).toEqual(rowsOf(9).map(answerTo));
    expect(server.counts()).toMatchObject({ created: 1, downloads: 3, paid: once(rowsOf(9)) });
  });

  test.each(['omit', 'torn', 'empty'] as const)(
    'that lack a row (%s): only that row is asked again',
    async (kind) => {
      const server = await serve({ rows: { 'row 2': [{ kind }, { kind: 'answer' }] } });
      const { results, usage } = await run(server.url, rowsOf(5));
      expect(texts(results)).toEqual(rowsOf(5).map(answerTo));
      expect(server.counts().asked).toEqual({ ...once(rowsOf(5)), 'row 2': 2 });
      expect(usage).toMatchObject({ requests: 6, retries: 1 });
    },
  );

  test('that nobody can download for a while are waited for', async () => {
    const server = await serve({ faults: [{ match: 'GET .*content', times: 3, status: 503 }] });
    const { results } = await run(server.url, rowsOf(3));
    expect(texts(results)).toEqual(rowsOf(3).map(answerTo));
    expect(server.counts().created).toBe(1);
  });
});

describe('row errors', () => {
  test('4xx: a dead letter with the provider’s words, asked once; 429 and 5xx: the next batch', async () => {
    const server = await serve({
      rows: {
        'row 0': [{ kind: 'status', status: 400, code: 'context_length_exceeded' }],
        'row 1': [{ kind: 'status', status: 429 }, { kind: 'answer' }],
        'row 2': [{ kind: 'status', status: 500 }, { kind: 'status', status: 503 }, { kind: 'answer' }],
      },
    });
    const { results } = await run(server.url, rowsOf(5));
    expect(texts(results)).toEqual(['dead: ENDPOINT_REFUSED', ...rowsOf(5).slice(1).map(answerTo)]);
    expect(results[0]?.kind === 'dead' && results[0].error.problem).toContain('context_length_exceeded');
    expect(server.counts().asked).toEqual({ ...once(rowsOf(5)), 'row 1': 2, 'row 2': 3 });
  });

  test('in three batches: a dead letter; for the same run it stays one, another run asks anew', async () => {
    const server = await serve({
      rows: { 'row 1': [500, 500, 500].map((status) => ({ kind: 'status' as const, status })) },
    });
    const first = await run(server.url, rowsOf(3), { run: 'first' });
    expect(texts(first.results)[1]).toBe('dead: ENDPOINT_OVERLOADED');
    expect(server.counts()).toMatchObject({ created: 3, asked: { ...once(rowsOf(3)), 'row 1': 3 } });
    const resumed = await run(server.url, rowsOf(3), { run: 'first' });
    expect(texts(resumed.results)).toEqual(texts(first.results));
    expect(server.counts().created).toBe(3);
    await run(server.url, rowsOf(3), { run: 'second' });
    expect(server.counts().asked['row 1']).toBe(6);
  });

  test('4xx in a batch that a dead process had taken: known from its error file, not asked again', async () => {
    const server = await serve({
      runMs: 150,
      rows: {
        'row 0': [{ kind: 'status', status: 400 }],
        'row 1': [{ kind: 'status', status: 500 }, { kind: 'answer' }],
      },
    });
    const stop = new AbortController();
    const states: string[] = [];
    const preempted = run(server.url, rowsOf(3), {
      signal: stop.signal,
      onState: (text) => {
        states.push(text);
        if (text.includes('batch_2')) stop.abort(new Error('preempted'));
      },
    });
    await expect(preempted).rejects.toThrow('preempted');
    const { results } = await run(server.url, rowsOf(3));
    expect(texts(results)).toEqual(['dead: ENDPOINT_REFUSED', answerTo('row 1'), answerTo('row 2')]);
    expect(server.counts()).toMatchObject({ created: 2, asked: { 'row 0': 1, 'row 1': 2, 'row 2': 1 } });
  });

  test('of the account end the run; what was answered is kept, the rest is asked when it is mended', async () => {
    const server = await serve({
      rows: { 'row 1': [{ kind: 'status', status: 429, code: 'insufficient_quota' }, { kind: 'answer' }] },
    });
    const error = await failureOf(run(server.url, rowsOf(3)));
    expect(error).toMatchObject({ code: 'ENDPOINT_REFUSED' });
    expect(error.remedy).toContain('Top up');
    const { results } = await run(server.url, rowsOf(3));
    expect(texts(results)).toEqual(rowsOf(3).map(answerTo));
    expect(server.counts().paid).toEqual(once(rowsOf(3)));
  });
});

describe('jobs', () => {
  test.each(['expire', 'cancelled'] as const)(
    'that end early (%s): what they answered is taken, the rest asked',
    async (kind) => {
      const server = await serve({
        jobs: [{ kind, after: 4 }, { kind, after: 3, silent: true }, { kind: 'complete' }],
      });
      const { results } = await run(server.url, rowsOf(10));
      expect(texts(results)).toEqual(rowsOf(10).map(answerTo));
      expect(server.counts()).toMatchObject({ created: 3, paid: once(rowsOf(10)) });
    },
  );

  test('that end early three times: the rows left are dead letters, or BATCH_FAILED when nothing was answered', async () => {
    const some = await serve({
      jobs: [
        { kind: 'expire', after: 4 },
        { kind: 'expire', after: 0 },
      ],
    });
    expect(texts((await run(some.url, rowsOf(6))).results)).toEqual([
      ...rowsOf(4).map(answerTo),
      'dead: ENDPOINT_OVERLOADED',
      'dead: ENDPOINT_OVERLOADED',
    ]);
    const none = await serve({ jobs: [{ kind: 'expire', after: 0 }] });
    const error = await failureOf(run(none.url, ['x', 'y']));
    expect(error).toMatchObject({ code: 'BATCH_FAILED' });
    expect(error.problem).toContain('3 batches ended without an answer, the last expired');
    expect(none.counts().created).toBe(3);
  });

  test('that fail validation: BATCH_FAILED with the provider’s words; mended, the next call asks', async () => {
    const server = await serve({
      jobs: [
        { kind: 'fail', code: 'model_not_found', message: 'The model scripted has no batches.' },
        { kind: 'complete' },
      ],
    });
    const money = purse();
    const error = await failureOf(run(server.url, rowsOf(3), { purse: money.purse }));
    expect(error).toMatchObject({ code: 'BATCH_FAILED' });
    expect(error.problem).toContain('line 1: model_not_found: The model scripted has no batches.');
    expect(money.ended).toEqual(['released']);
    expect(texts((await run(server.url, rowsOf(3))).results)).toEqual(rowsOf(3).map(answerTo));
  });

  test('that find the queue full are created again after a wait, and it is no attempt', async () => {
    const full = {
      kind: 'fail',
      code: 'token_limit_exceeded',
      message: 'Enqueued token limit reached.',
    } as const;
    const server = await serve({ jobs: [full, full, full, full, { kind: 'complete' }] });
    const states: string[] = [];
    const { results } = await run(server.url, rowsOf(3), {
      limits: { queueFullWaitMs: 20 },
      onState: (text) => states.push(text),
    });
    expect(texts(results)).toEqual(rowsOf(3).map(answerTo));
    expect(server.counts().created).toBe(5);
    expect(states.join('\n')).toContain('queue is full');
  });

  test.each([
    ['a bad request', 400, 'BATCH_FAILED'],
    ['no batch interface', 404, 'BATCH_FAILED'],
    ['a wrong key', 401, 'ENDPOINT_REFUSED'],
  ])('refused at their creation (%s): the error, no money, and no key in it', async (_, status, code) => {
    const body = JSON.stringify({ error: { message: 'refused; your key is key-for-tests' } });
    const server = await serve({ faults: [{ match: 'POST /v1/batches', times: 1, status, body }] });
    const money = purse();
    const error = await failureOf(run(server.url, rowsOf(2), { purse: money.purse }));
    expect(error.code).toBe(code);
    expect(error.message).toContain('refused');
    expect(error.message).not.toContain('key-for-tests');
    expect(money.ended).toEqual(['released']);
    expect(texts((await run(server.url, rowsOf(2))).results)).toEqual(rowsOf(2).map(answerTo));
    expect(server.counts().created).toBe(1);
  });

  test.each([[false], [true]])(
    'whose creation nobody heard of are found, not created twice (provider keeps no metadata: %s)',
    async (dropMetadata) => {
      const faults = [{ match: 'POST /v1/batches$', times: 1, status: 0, after: true }];
      const server = await serve({ faults, dropMetadata, otherJobs: 7, pageSize: 3 });
      const { results } = await run(server.url, rowsOf(4));
      expect(texts(results)).toEqual(rowsOf(4).map(answerTo));
      expect(server.counts()).toMatchObject({ created: 1, paid: once(rowsOf(4)) });
    },
  );

  test('whose creation nobody heard of, at a provider that does not list: not created again, money stays charged', async () => {
    const faults = [
      { match: 'POST /v1/batches$', times: 1, status: 0, after: true },
      { match: 'GET /v1/batches$', times: 9, status: 405 },
    ];
    const server = await serve({ faults });
    const money = purse();
    const error = await failureOf(run(server.url, rowsOf(2), { purse: money.purse }));
    expect(error).toMatchObject({ code: 'BATCH_FAILED' });
    expect(error.problem).toContain('is not known');
    expect(money.ended).toEqual(['abandoned']);
    await failureOf(run(server.url, rowsOf(2)));
    expect(server.counts().created).toBe(1);
  });

  test('survive a provider that fails at every step for a while', async () => {
    const server = await serve({
      runMs: 60,
      faults: [
        { match: 'POST /v1/files', times: 2, status: 500 },
        { match: 'POST /v1/batches$', times: 2, status: 429 },
        { match: 'GET /v1/batches/', times: 3, status: 502 },
        { match: 'GET .*content', times: 2, status: 200, after: true },
      ],
    });
    const states: string[] = [];
    const { results } = await run(server.url, rowsOf(4), { onState: (text) => states.push(text) });
    expect(texts(results)).toEqual(rowsOf(4).map(answerTo));
    expect(server.counts()).toMatchObject({ created: 1, paid: once(rowsOf(4)) });
    expect(states.join('\n')).toContain('the provider fails: HTTP 502');
  });

  test('at a provider that is gone: the error after the patience, retryable', async () => {
    const error = await failureOf(
      run(`http://127.0.0.1:${await freePort()}/v1`, rowsOf(2), { limits: { patienceMs: 100 } }),
    );
    expect(error).toMatchObject({ code: 'ENDPOINT_UNREACHABLE', retryable: true });
  });

  test('that the provider does not know any more: BATCH_FAILED names the record, nothing is asked unasked', async () => {
    const server = await serve({ runMs: 10_000 });
    const stop = new AbortController();
    const first = run(server.url, rowsOf(2), {
      signal: stop.signal,
      onState: () => stop.abort(new Error('away')),
    });
    await expect(first).rejects.toThrow('away');
    const other = await serve();
    const error = await failureOf(run(other.url, rowsOf(2)));
    expect(error).toMatchObject({ code: 'BATCH_FAILED' });
    expect(error.remedy).toContain(batchRecordKey(space, batchKeyOf(rowsOf(2).map(keyOf), 1)));
    expect(other.counts().created).toBe(0);
  });

  test('are split by the provider’s limits; a request beyond them is a dead letter', async () => {
    const server = await serve();
    const rows = [...rowsOf(23), 'x'.repeat(2_000)];
    const states: string[] = [];
    const { results } = await run(server.url, rows, {
      limits: { maxRequests: 5, maxFileBytes: 1_500 },
      onState: (text) => states.push(text),
    });
    expect(texts(results)).toEqual([...rowsOf(23).map(answerTo), 'dead: ENDPOINT_REFUSED']);
    const { created, paid } = server.counts();
    expect(created).toBeGreaterThanOrEqual(5);
    expect(paid).toEqual(once(rowsOf(23)));
    expect(states[0]).toMatch(new RegExp(`^part \\d+ of ${created}: batch`));
  });

  test('created by a process that was taken for dead are cancelled, and who took over decides', async () => {
    const server = await serve({ runMs: 100 });
    const batchKey = batchKeyOf(rowsOf(4).map(keyOf), 1);
    const records = new BatchRecords(objects, space);
    const openai = createBatchClient({ baseUrl: server.url, timeoutMs: 5_000 }).withOptions({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (!urlOf(input).endsWith('/batches') || init?.method?.toUpperCase() !== 'POST') return response;
        const stored = await records.read(batchKey);
        if (stored?.record.state === 'creating' && server.counts().created === 1)
          await records.claim(batchKey, stored.record, stored);
        return response;
      },
    });
    const money = purse();
    const { results } = await run(server.url, rowsOf(4), {
      openai,
      purse: money.purse,
      limits: { takeOverAfterMs: 100 },
    });
    expect(texts(results)).toEqual(rowsOf(4).map(answerTo));
    expect(money.ended[0]).toBe('abandoned');
    expect(server.counts()).toMatchObject({ cancelled: 1, paid: once(rowsOf(4)) });
  });

  test('are not asked of another host that the provider points to: the key stays', async () => {
    const other = await serve();
    const headers = { location: `${other.url}/files` };
    const server = await serve({ faults: [{ match: 'POST /v1/files', times: 1, status: 307, headers }] });
    const error = await failureOf(run(server.url, rowsOf(2)));
    expect(error).toMatchObject({ code: 'ENDPOINT_REFUSED' });
    expect(other.counts().uploads).toBe(0);
  });

  test('wait for the lease before they are created', async () => {
    const server = await serve();
    const lost = run(server.url, rowsOf(2), { lease: () => Promise.reject(new Error('lease lost')) });
    await expect(lost).rejects.toThrow('lease lost');
    expect(server.counts().created).toBe(0);
  });

  test('of two processes with the same rows at once: one job, paid once', async () => {
    const server = await serve({ runMs: 100 });
    const both = await Promise.all([run(server.url, rowsOf(8)), run(server.url, rowsOf(8))]);
    for (const { results } of both) expect(texts(results)).toEqual(rowsOf(8).map(answerTo));
    expect(server.counts()).toMatchObject({ uploads: 1, created: 1, paid: once(rowsOf(8)) });
  });
});

describe('an abort', () => {
  async function abortedRun(server: BatchServer, options: Partial<Options> = {}): Promise<number> {
    const stop = new AbortController();
    let abortedMs = 0;
    const work = run(server.url, rowsOf(10), {
      ...options,
      signal: stop.signal,
      onState: () => {
        abortedMs = performance.now();
        stop.abort(new Error('the reason'));
      },
    });
    await expect(work).rejects.toThrow('the reason');
    return performance.now() - abortedMs;
  }

  test('by preemption ends the call at once; the job goes on and the next call takes it', async () => {
    const server = await serve({ runMs: 200 });
    const money = purse();
    expect(await abortedRun(server, { purse: money.purse })).toBeLessThan(150);
    expect(money.ended).toEqual(['abandoned']);
    const { results, usage } = await run(server.url, rowsOf(10), { purse: money.purse });
    expect(texts(results)).toEqual(rowsOf(10).map(answerTo));
    expect(server.counts()).toMatchObject({ created: 1, cancelled: 0, paid: once(rowsOf(10)) });
    // The job's money was set aside by the call that created it.
    expect(money.reserved).toHaveLength(1);
    expect(usage).toMatchObject({ requests: 0, promptTokens: 100 });
  });

  test('by a user cancels the job; what it had answered is taken by the next call', async () => {
    const server = await serve({ runMs: 700 });
    await abortedRun(server, { cancelRemote: () => true });
    expect(server.counts().cancelled).toBe(1);
    const { results, usage } = await run(server.url, rowsOf(10));
    expect(texts(results)).toEqual(rowsOf(10).map(answerTo));
    expect(usage).toMatchObject({ requests: 5, retries: 5 });
    expect(server.counts()).toMatchObject({ created: 2, paid: once(rowsOf(10)) });
  });

  test('by a user leaves the job of another run alone', async () => {
    const server = await serve({ runMs: 200 });
    await abortedRun(server, { run: 'first' });
    await abortedRun(server, { run: 'second', cancelRemote: () => true });
    expect(server.counts()).toMatchObject({ created: 1, cancelled: 0 });
  });

  test('while the creation is on its way: its id is stored before the call ends', async () => {
    const server = await serve({ runMs: 100 });
    const stop = new AbortController();
    const openai = createBatchClient({ baseUrl: server.url, timeoutMs: 5_000 }).withOptions({
      fetch: (input, init) => {
        if (urlOf(input).endsWith('/batches') && init?.method?.toUpperCase() === 'POST')
          stop.abort(new Error('preempted'));
        return fetch(input, init);
      },
    });
    await expect(run(server.url, rowsOf(3), { openai, signal: stop.signal })).rejects.toThrow('preempted');
    const name = batchRecordKey(space, batchKeyOf(rowsOf(3).map(keyOf), 1));
    expect(JSON.parse(String((await objects.get(name))?.bytes))).toMatchObject({
      state: 'created',
      batchId: 'batch_1',
    });
  });
});

describe('money', () => {
  test('the worst case of the batch is set aside before, the sum of the answers settled after', async () => {
    const server = await serve();
    const money = purse();
    await run(server.url, rowsOf(6), { purse: money.purse });
    expect(money.reserved).toHaveLength(1);
    expect(money.reserved[0]).toBeCloseTo(6 * worstUsdOf('row 0'), 12);
    expect(money.ended).toHaveLength(1);
    expect(money.ended[0]).toBeCloseTo(6 * ANSWER_USD, 12);
  });

  test('rows that the provider may have charged without a word stay charged at their worst case', async () => {
    const server = await serve({
      rows: {
        'row 0': [{ kind: 'omit' }, { kind: 'answer' }],
        'row 1': [{ kind: 'empty' }, { kind: 'answer' }],
        'row 2': [{ kind: 'status', status: 500 }, { kind: 'answer' }],
      },
    });
    const money = purse();
    const { usage } = await run(server.url, rowsOf(4), { purse: money.purse });
    expect(usage.unsettledUsd).toBeCloseTo(2 * worstUsdOf('row 0'), 12);
    expect(usage.costUsd).toBeCloseTo(4 * ANSWER_USD + usage.unsettledUsd, 12);
    expect(money.ended[0]).toBeCloseTo(ANSWER_USD + 2 * worstUsdOf('row 0'), 12);
    expect(money.ended[1]).toBeCloseTo(3 * ANSWER_USD, 12);
  });

  test('no batch is created while the purse is empty', async () => {
    const server = await serve();
    const stop = new AbortController();
    const empty: Purse = {
      reserve: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
    };
    const work = run(server.url, rowsOf(2), { purse: empty, signal: stop.signal });
    await sleep(150);
    expect(server.counts()).toMatchObject({ created: 0, uploads: 0 });
    stop.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
  });
});

function urlOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : String(input);
}
