/** Rows through a scripted endpoint over real HTTP: faults, limits, money, and an end when there is no point in going on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Purse } from '../../src/services/budget/types.ts';
import { openEndpoint, type EndpointOptions, type ModelEndpoint } from '../../src/services/llm/endpoint.ts';
import { openLedger, type Ledger } from '../../src/services/llm/ledger.ts';
import { costUsd, worstCaseUsd } from '../../src/services/llm/price.ts';
import { runRequests, type RunProgress, type RunRequestsOptions } from '../../src/services/llm/runRows.ts';
import { parseStructured } from '../../src/services/llm/structured.ts';
import { freePort } from '../store/server.ts';
import { memoryObjects } from './memoryObjects.ts';
import { startScriptedServer, type Reply, type Script, type ScriptedServer } from './scriptedServer.ts';

const sampling = { temperature: 0, topP: 1, maxTokens: 100, seed: 0 };
const identity = { model: 'scripted', revision: '1', promptVersion: 'p-1' };
const answer = (text: string): Reply => ({ kind: 'answer', text });

let localDir: string;
let ledger: Ledger;
const servers: ScriptedServer[] = [];
const endpoints: ModelEndpoint[] = [];

beforeEach(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'secpi-rows-'));
  ledger = await openLedger({ objects: memoryObjects(), space: 'a'.repeat(64), localDir });
});
afterEach(async () => {
  await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await ledger.close();
  await rm(localDir, { recursive: true, force: true });
});

async function serve(script: Script, port?: number): Promise<ScriptedServer> {
  const server = await startScriptedServer(script, port === undefined ? {} : { port });
  servers.push(server);
  return server;
}

type Settings = Partial<RunRequestsOptions<string, string>> & Partial<EndpointOptions>;

function run(url: string, rows: readonly string[], settings: Settings = {}) {
  const endpoint = openEndpoint({
    addresses: [{ baseUrl: url, model: 'scripted' }],
    concurrency: 8,
    timeoutMs: 10_000,
    maxOutageMs: 60_000,
    ...settings,
    retry: { backoff: { firstMs: 5, maxMs: 40 }, ...settings.retry },
  });
  endpoints.push(endpoint);
  return runRequests<string, string>({
    rows,
    toRequest: (row) => ({ rowId: row, index: 0, messages: [{ role: 'user', content: row }], sampling }),
    interpret: ({ text }) => text,
    identity,
    payer: 'a test',
    ledger,
    endpoint,
    ...settings,
  });
}

const rowsOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `row ${at}`);
const texts = (results: Awaited<ReturnType<typeof run>>['results']): string[] =>
  results.map((result) => (result.kind === 'answered' ? result.value : `dead: ${result.error.code}`));

describe('answers', () => {
  test('come by position, never more in flight than asked for, counted in tokens and money', async () => {
    const server = await serve(({ prompt, total }) => ({
      kind: 'delay',
      ms: (total * 7) % 20,
      reply: { kind: 'answer', text: prompt.toUpperCase(), promptTokens: 100, completionTokens: 10 },
    }));
    const progress: RunProgress[] = [];
    const { results, usage } = await run(server.url, rowsOf(60), {
      price: { prompt: 2, completion: 10 },
      onProgress: (now) => progress.push(now),
    });
    expect(texts(results)).toEqual(rowsOf(60).map((row) => row.toUpperCase()));
    expect(usage).toMatchObject({ requests: 60, ledgerHits: 0, promptTokens: 6000, completionTokens: 600 });
    expect(usage.costUsd).toBeCloseTo((60 * (100 * 2 + 10 * 10)) / 1e6, 12);
    expect(server.counts().maxInFlight).toBe(8);
    expect(progress.map(({ done }) => done)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  });

  test('are taken from the ledger by another artefact, and cost it nothing', async () => {
    const server = await serve(({ prompt }) => answer(prompt));
    await run(server.url, rowsOf(20), { payer: 'the artefact before' });
    const again = await run(server.url, rowsOf(25));
    expect(texts(again.results)).toEqual(rowsOf(25));
    expect(again.usage).toMatchObject({ requests: 5, ledgerHits: 20, promptTokens: 50 });
    expect(server.counts().requests).toBe(25);
  });

  test('that an earlier attempt at the same artefact paid for stay part of its cost', async () => {
    const server = await serve(({ prompt }) => answer(prompt));
    const price = { prompt: 1, completion: 1 };
    const first = await run(server.url, rowsOf(20), { price });
    const again = await run(server.url, rowsOf(20), { price });
    // Of the artefact, not of this call: the server was not asked again.
    expect(again.usage).toMatchObject({ requests: 20, ledgerHits: 20 });
    expect(server.counts().requests).toBe(20);
    expect(again.usage.costUsd).toBe(first.usage.costUsd);
    expect(again.usage.promptTokens).toBe(first.usage.promptTokens);
  });

  test('are shared by rows that ask the same', async () => {
    const server = await serve(({ prompt, total }) => ({
      kind: 'delay',
      ms: 20,
      reply: answer(`${prompt} ${total}`),
    }));
    const { results, usage } = await run(server.url, ['same', 'same', 'other', 'same']);
    expect(server.counts().byPrompt['same']?.requests).toBe(1);
    expect(new Set([0, 1, 3].map((at) => texts(results)[at])).size).toBe(1);
    expect(usage).toMatchObject({ requests: 2, ledgerHits: 2 });
  });

  test('of another sample of the same prompt are asked for', async () => {
    const server = await serve(({ times }) => answer(`sample ${times}`));
    const { results } = await run(server.url, ['a', 'b'], {
      concurrency: 1,
      toRequest: (row, index) => ({
        rowId: row,
        index,
        messages: [{ role: 'user', content: 'same' }],
        sampling,
      }),
    });
    expect(texts(results)).toEqual(['sample 1', 'sample 2']);
  });

  test('of no rows are none', async () => {
    const server = await serve(() => answer(''));
    expect(await run(server.url, [])).toMatchObject({ results: [], usage: { requests: 0 } });
  });
});

test('answers in another order, of 10 MB, and with reasoning that was cut off, come to their rows', async () => {
  const large = 'x'.repeat(10_000_000);
  const server = await serve(({ prompt }) => {
    if (prompt === 'row 1') return answer(large);
    if (prompt === 'row 2') return { kind: 'answer', text: '<think>and then', finishReason: 'length' };
    return { kind: 'delay', ms: 200 - 10 * Number(prompt.slice(4)), reply: answer(prompt) };
  });
  const { results } = await run(server.url, rowsOf(16), { concurrency: 16 });
  expect(texts(results)).toEqual(
    rowsOf(16).map((row, at) => (at === 1 ? large : at === 2 ? '<think>and then' : row)),
  );
  expect(results[2]).toMatchObject({ answer: { unbalancedThink: true, finishReason: 'length' } });
});

describe('money', () => {
  const price = { prompt: 1_000, completion: 2_000 };
  const worstUsd = worstCaseUsd({ messages: [{ role: 'user', content: 'row 0' }], sampling }, price);

  /** A purse with so much in it; whoever finds too little waits. */
  function purseOf(usd: number) {
    const log: string[] = [];
    const sums = { leftUsd: usd, openUsd: 0, mostOpen: 0, open: 0 };
    const waiting: (() => void)[] = [];
    const end = (what: string, worst: number, keptUsd: number): void => {
      log.push(what);
      sums.open -= 1;
      sums.openUsd -= worst;
      sums.leftUsd += worst - keptUsd;
      waiting.shift()?.();
    };
    const purse: Purse = {
      reserve: async (worst, signal) => {
        while (sums.leftUsd < worst) {
          signal.throwIfAborted();
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
        sums.leftUsd -= worst;
        sums.openUsd += worst;
        sums.open += 1;
        sums.mostOpen = Math.max(sums.mostOpen, sums.open);
        return {
          settle: (paid) => end('settle', worst, paid),
          release: () => end('release', worst, 0),
          abandon: () => end('abandon', worst, worst),
        };
      },
    };
    const count = (what: string): number => log.filter((one) => one === what).length;
    return { purse, sums, count };
  }

  test('is set aside before every request and ended by what became of it', async () => {
    const server = await serve(({ prompt, times }) => {
      if (times > 1) return { kind: 'answer', text: 'ok', promptTokens: 10, completionTokens: 5 };
      if (prompt === 'row 0') return { kind: 'status', status: 500 };
      if (prompt === 'row 1') return { kind: 'status', status: 429 };
      if (prompt === 'row 2') return { kind: 'cut' };
      if (prompt === 'row 3') return { kind: 'raw', body: '{"choices":[]}' };
      if (prompt === 'row 4') return { kind: 'hang' };
      if (prompt === 'row 5') return { kind: 'status', status: 400 };
      return { kind: 'answer', text: 'ok', promptTokens: 10, completionTokens: 5 };
    });
    const { purse, sums, count } = purseOf(1_000);
    const { usage } = await run(server.url, rowsOf(10), { purse, price, timeoutMs: 300 });
    expect([count('settle'), count('release'), count('abandon')]).toEqual([9, 3, 3]);
    expect(sums.openUsd).toBeCloseTo(0, 9);
    const paidUsd = 9 * costUsd({ promptTokens: 10, completionTokens: 5, reasoningTokens: 0 }, price);
    expect(usage).toMatchObject({ requests: 15, retries: 6, promptTokens: 90 });
    expect(usage.unsettledUsd).toBeCloseTo(3 * worstUsd, 9);
    expect(usage.costUsd).toBeCloseTo(paidUsd + 3 * worstUsd, 9);
    expect(1_000 - sums.leftUsd).toBeCloseTo(usage.costUsd, 9);
  });

  test('that suffices for two at a time sends two at a time', async () => {
    const server = await serve(({ prompt }) => ({ kind: 'delay', ms: 10, reply: answer(prompt) }));
    const { purse, sums } = purseOf(2.5 * worstUsd);
    const { results } = await run(server.url, rowsOf(10), { purse, price });
    expect(texts(results)).toEqual(rowsOf(10));
    expect(server.counts().maxInFlight).toBe(2);
    expect(sums.mostOpen).toBe(2);
  });

  test('is not bound by rows that wait for their turn', async () => {
    const server = await serve(({ prompt }) => ({ kind: 'delay', ms: 10, reply: answer(prompt) }));
    const { purse, sums } = purseOf(1_000);
    await run(server.url, rowsOf(100), { purse, price, concurrency: 4, lanes: 50 });
    expect(sums.mostOpen).toBe(4);
  });

  test('of requests in flight stays charged when the run is stopped', async () => {
    const server = await serve(({ total }) => (total <= 3 ? answer('ok') : { kind: 'hang' }));
    const { purse, count } = purseOf(1_000);
    const abort = new AbortController();
    const running = run(server.url, rowsOf(50), { purse, price, signal: abort.signal });
    await expect.poll(() => server.counts().requests).toBe(11);
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    await expect.poll(() => count('abandon')).toBe(8);
    expect([count('settle'), count('release')]).toEqual([3, 0]);
  });

  test('of an answer that was there already is reported as paid twice', async () => {
    const server = await serve(({ prompt }) => answer(prompt));
    const others: Pick<Ledger, 'get' | 'append' | 'single'> = {
      get: async () => null,
      append: async (given) => ({ ...given, payer: 'another', text: 'first', latencyMs: 1 }),
      single: async (key, work) => await ledger.single(key, work),
    };
    const { results, usage } = await run(server.url, rowsOf(3), { ledger: others, price });
    expect(texts(results)).toEqual(['first', 'first', 'first']);
    const paidUsd = 3 * costUsd({ promptTokens: 10, completionTokens: 5, reasoningTokens: 0 }, price);
    expect(usage).toMatchObject({ paidTwice: 3, paidTwiceUsd: paidUsd, costUsd: paidUsd });
  });

  test('is counted apart for reasoning, and estimated where the endpoint tells no usage', async () => {
    const usage =
      '"usage":{"prompt_tokens":3,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":7}}';
    const choices = '"choices":[{"message":{"content":"12345678"},"finish_reason":"stop"}]';
    const server = await serve(({ prompt }) => ({
      kind: 'raw',
      body: prompt === 'row 0' ? `{${choices},${usage}}` : `{${choices}}`,
    }));
    const { results, usage: sum } = await run(server.url, rowsOf(2));
    expect(sum).toMatchObject({ promptTokens: 3 + 2, completionTokens: 9 + 2, reasoningTokens: 7 });
    expect(results[1]).toMatchObject({ answer: { usageKnown: false } });
  });
});

test('a lease that is lost holds requests until it is back', async () => {
  const server = await serve(({ prompt }) => answer(prompt));
  let held = Promise.withResolvers<void>();
  held.resolve();
  const running = run(server.url, rowsOf(300), {
    concurrency: 2,
    lease: async () => await held.promise,
    onProgress: ({ done }) => {
      if (done === 20) held = Promise.withResolvers();
    },
  });
  await expect.poll(() => server.counts().requests).toBeGreaterThanOrEqual(20);
  await sleep(400);
  const before = server.counts().requests;
  await sleep(200);
  expect(server.counts().requests).toBe(before);
  expect(before).toBeLessThanOrEqual(22);
  held.resolve();
  expect(texts((await running).results)).toEqual(rowsOf(300));
});

describe('two runs of one process', () => {
  test('share the requests that both make', async () => {
    const server = await serve(({ prompt }) => ({ kind: 'delay', ms: 100, reply: answer(prompt) }));
    const [one, other] = await Promise.all([
      run(server.url, rowsOf(5)),
      run(server.url, rowsOf(5), { payer: 'b' }),
    ]);
    expect(server.counts().requests).toBe(5);
    expect(texts(one.results)).toEqual(texts(other.results));
    expect(one.usage.ledgerHits + other.usage.ledgerHits).toBe(5);
  });

  test('the one that is stopped does not take the other with it', async () => {
    const server = await serve(({ prompt, times }) => (times === 1 ? { kind: 'hang' } : answer(prompt)));
    const abort = new AbortController();
    const stopped = run(server.url, rowsOf(3), { signal: abort.signal });
    await expect.poll(() => server.counts().requests).toBe(3);
    const other = run(server.url, rowsOf(3));
    await sleep(50);
    abort.abort(new Error('cancelled'));
    await expect(stopped).rejects.toThrow('cancelled');
    expect(texts((await other).results)).toEqual(rowsOf(3));
    expect(server.counts().requests).toBe(6);
  });
});

describe('faults', () => {
  /** 15 % of all requests break, in every way a server can break them. */
  const faults: Reply[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 429, headers: { 'retry-after-ms': '10' } },
    { kind: 'cut' },
    { kind: 'torn' },
    { kind: 'hang' },
    { kind: 'raw', body: '<html>bad gateway</html>', contentType: 'text/html' },
    { kind: 'raw', body: '{"choices":[]}' },
    { kind: 'raw', body: '{"choices":[{"mess' },
  ];

  test('at 15 % cost one more request each, and no row', async () => {
    let broken = 0;
    const server = await serve(({ prompt, total }) => {
      if ((total * 7) % 100 >= 15) return answer(`ok ${prompt}`);
      broken += 1;
      return faults[broken % faults.length] ?? answer('');
    });
    const { results, usage } = await run(server.url, rowsOf(300), { concurrency: 32, timeoutMs: 2_000 });
    expect(texts(results)).toEqual(rowsOf(300).map((row) => `ok ${row}`));
    expect(broken).toBeGreaterThan(40);
    expect(server.counts().requests).toBe(300 + broken);
    expect(usage.requests).toBe(300 + broken);
    expect(Math.max(...Object.values(server.counts().byPrompt).map(({ paid }) => paid))).toBe(1);
  });

  test.each([
    ['seconds', { 'retry-after': '1' }],
    ['a date', { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }],
    ['milliseconds', { 'retry-after-ms': '400' }],
  ])('Retry-After in %s is obeyed', async (unit, headers) => {
    const seen: number[] = [];
    const server = await serve(({ times }) => {
      seen.push(performance.now());
      const dated =
        unit === 'a date' ? { 'retry-after': new Date(Date.now() + 2000).toUTCString() } : headers;
      return times === 1
        ? { kind: 'status', status: 429, headers: dated as Record<string, string> }
        : answer('ok');
    });
    const { results } = await run(server.url, ['row']);
    expect(texts(results)).toEqual(['ok']);
    const waitedMs = (seen[1] ?? 0) - (seen[0] ?? 0);
    // An HTTP date has whole seconds: a wait of 2 s may be told as little more than 1 s.
    expect(waitedMs).toBeGreaterThanOrEqual(unit === 'milliseconds' ? 395 : 950);
    expect(waitedMs).toBeLessThan(3000);
  });

  test('a row that breaks every time becomes a dead letter when others are answered', async () => {
    const server = await serve(({ prompt }) =>
      prompt === 'row 3' ? { kind: 'status', status: 500 } : { kind: 'delay', ms: 30, reply: answer('ok') },
    );
    const { results } = await run(server.url, rowsOf(40), { concurrency: 4, retry: { maxFaults: 3 } });
    expect(texts(results).filter((text) => text !== 'ok')).toEqual(['dead: ENDPOINT_OVERLOADED']);
    expect(server.counts().byPrompt['row 3']?.requests).toBeGreaterThanOrEqual(3);
  });

  test('a broken row that is asked alone, when all others have their answer, is a dead letter after the patience', async () => {
    const server = await serve(({ prompt }) =>
      prompt === 'row 3' ? { kind: 'status', status: 500 } : answer('ok'),
    );
    await run(server.url, rowsOf(3));
    const { results } = await run(server.url, rowsOf(4), { retry: { patienceMs: 100 } });
    expect(texts(results)).toEqual(['ok', 'ok', 'ok', 'dead: ENDPOINT_OVERLOADED']);
  });

  test('slow answers of others are waited for before a broken row is judged', async () => {
    const server = await serve(({ prompt }) =>
      prompt === 'row 3' ? { kind: 'status', status: 500 } : { kind: 'delay', ms: 400, reply: answer('ok') },
    );
    const { results, usage } = await run(server.url, rowsOf(8), { retry: { maxFaults: 2 } });
    expect(texts(results).filter((text) => text !== 'ok')).toEqual(['dead: ENDPOINT_OVERLOADED']);
    expect(usage.promptTokens).toBe(70);
  });

  test('when all break, the run ends with a retryable error instead', async () => {
    const server = await serve(() => ({ kind: 'status', status: 500 }));
    await expect(
      run(server.url, rowsOf(5), { maxOutageMs: 100, retry: { maxFaults: 3 } }),
    ).rejects.toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      retryable: true,
    });
  });

  test('an endpoint that is down for a while is waited for', async () => {
    const port = await freePort();
    const running = run(`http://127.0.0.1:${port}/v1`, rowsOf(20));
    await sleep(1500);
    await serve(({ prompt }) => answer(prompt), port);
    expect(texts((await running).results)).toEqual(rowsOf(20));
  });

  test('an endpoint that stays down ends the run after the patience, retryably', async () => {
    const port = await freePort();
    await expect(run(`http://127.0.0.1:${port}/v1`, rowsOf(20), { maxOutageMs: 300 })).rejects.toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('a wait longer than the patience is handed up at once', async () => {
    const server = await serve(() => ({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }));
    await expect(run(server.url, ['row'])).rejects.toMatchObject({
      code: 'ENDPOINT_OVERLOADED',
      retryAfterMs: 3_600_000,
    });
    expect(server.counts().requests).toBe(1);
  });
});

describe('refusals', () => {
  test.each([
    [401, '{"error":{"message":"bad key"}}'],
    [403, '{}'],
    [402, '{}'],
    [404, '{"error":{"message":"no such model","code":"model_not_found"}}'],
    [429, '{"error":{"message":"no money","code":"insufficient_quota"}}'],
    [307, ''],
  ])('HTTP %i ends the run at once', async (status, body) => {
    const server = await serve(() => ({
      kind: 'status',
      status,
      body,
      headers: { location: 'http://127.0.0.1:9/' },
    }));
    await expect(run(server.url, rowsOf(50), { concurrency: 2 })).rejects.toMatchObject({
      code: 'ENDPOINT_REFUSED',
      retryable: false,
    });
    expect(server.counts().requests).toBeLessThanOrEqual(2);
  });

  test.each([400, 413, 422])('HTTP %i is a dead letter of its row, asked once', async (status) => {
    const server = await serve(({ prompt }) =>
      prompt === 'row 1' ? { kind: 'status', status } : answer('ok'),
    );
    const { results } = await run(server.url, rowsOf(3));
    expect(texts(results)).toEqual(['ok', 'dead: ENDPOINT_REFUSED', 'ok']);
    expect(server.counts().requests).toBe(3);
  });

  test('an answer that cannot be used is a dead letter, paid once and not asked again', async () => {
    const schema = z.strictObject({ good: z.boolean() });
    const server = await serve(({ prompt }) =>
      answer(prompt === 'row 1' ? 'I would say yes' : '{"good":true}'),
    );
    const strict: Partial<RunRequestsOptions<string, string>> = {
      interpret: (given) => String(parseStructured(given, schema).good),
    };
    const first = await run(server.url, rowsOf(3), strict);
    expect(texts(first.results)).toEqual(['true', 'dead: ANSWER_UNUSABLE', 'true']);
    expect(first.results[1]).toMatchObject({ kind: 'dead', answer: { text: 'I would say yes' } });
    const second = await run(server.url, rowsOf(3), strict);
    expect(second.usage).toMatchObject({ requests: 3, ledgerHits: 3 });
    expect(server.counts().requests).toBe(3);
  });

  test('a defect while reading an answer ends the run', async () => {
    const server = await serve(() => answer('ok'));
    const broken = (): string => {
      throw new TypeError('a defect');
    };
    await expect(run(server.url, rowsOf(3), { interpret: broken })).rejects.toThrow('a defect');
  });
});

describe('abort', () => {
  test('stops sending at once, waits for nothing, keeps what was answered', async () => {
    const server = await serve(({ prompt, total }) => (total <= 10 ? answer(prompt) : { kind: 'hang' }));
    const abort = new AbortController();
    const running = run(server.url, rowsOf(100), { signal: abort.signal });
    await expect.poll(() => server.counts().requests).toBe(18);
    const startedMs = performance.now();
    abort.abort(new Error('cancelled by the user'));
    await expect(running).rejects.toThrow('cancelled by the user');
    expect(performance.now() - startedMs).toBeLessThan(200);
    await expect.poll(() => server.counts().cutOff).toBe(8);
    expect(server.counts().requests).toBe(18);
    expect(ledger.counts().answers).toBe(10);
  });

  test('before the start sends nothing', async () => {
    const server = await serve(() => answer('ok'));
    await expect(
      run(server.url, rowsOf(3), { signal: AbortSignal.abort(new Error('too late')) }),
    ).rejects.toThrow('too late');
    expect(server.counts().requests).toBe(0);
  });

  test('ends a long wait too', async () => {
    const server = await serve(() => ({ kind: 'status', status: 429, headers: { 'retry-after': '60' } }));
    const abort = new AbortController();
    const running = run(server.url, ['row'], { signal: abort.signal });
    await expect.poll(() => server.counts().requests).toBe(1);
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
  });
});
