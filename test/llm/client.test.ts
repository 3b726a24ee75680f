/** One completion against a scripted endpoint over real HTTP; and no way for a key to leave. */
import { readdir, readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { classificationSchema } from '../../src/contract/rows.ts';
import { createChatClient, type ChatClient } from '../../src/services/llm/client.ts';
import { openEndpoint } from '../../src/services/llm/endpoint.ts';
import { EndpointError } from '../../src/services/llm/errors.ts';
import { openLedger } from '../../src/services/llm/ledger.ts';
import { checkEndpoint, readApiKey } from '../../src/services/llm/preflight.ts';
import { runRequests } from '../../src/services/llm/runRows.ts';
import { freePort } from '../store/server.ts';
import { memoryObjects } from './memoryObjects.ts';
import { startScriptedServer, type Reply, type ScriptedServer, type SeenRequest } from './scriptedServer.ts';

const sampling = { temperature: 0.5, topP: 0.9, maxTokens: 77, seed: 3 };
const request = { messages: [{ role: 'user' as const, content: 'task' }], sampling };
const servers: ScriptedServer[] = [];
const clients: ChatClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function clientFor(
  reply: Reply | ((seen: SeenRequest) => Reply),
  options: { apiKey?: string; timeoutMs?: number } = {},
) {
  const server = await startScriptedServer(typeof reply === 'function' ? reply : () => reply);
  servers.push(server);
  const client = createChatClient({
    baseUrl: server.url,
    model: 'scripted',
    timeoutMs: 5000,
    field: 'filter.classifier',
    apiKeyEnv: 'MY_KEY',
    ...options,
  });
  clients.push(client);
  return client;
}

describe('a completion', () => {
  test.each<[string, Reply, { text: string; reasoning: string | null }]>([
    [
      'message.reasoning',
      { kind: 'answer', text: 'code', reasoning: 'why' },
      { text: 'code', reasoning: 'why' },
    ],
    [
      'message.reasoning_content',
      { kind: 'answer', text: 'code', reasoningContent: 'why' },
      { text: 'code', reasoning: 'why' },
    ],
    [
      'a leading <think>',
      { kind: 'answer', text: '<think>why</think>code' },
      { text: 'code', reasoning: 'why' },
    ],
    ['nowhere', { kind: 'answer', text: 'code' }, { text: 'code', reasoning: null }],
    ['no content at all', { kind: 'answer', text: null, reasoning: 'why' }, { text: '', reasoning: 'why' }],
    ['half a surrogate pair', { kind: 'answer', text: 'a\ud800b' }, { text: 'a\ufffdb', reasoning: null }],
  ])('finds reasoning in %s', async (_, reply, expected) => {
    const client = await clientFor(reply);
    expect(await client.complete(request)).toMatchObject({
      ...expected,
      finishReason: 'stop',
      model: 'scripted',
    });
  });

  test.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['content_filter', 'other'],
    ['tool_calls', 'other'],
  ])('says %s as %s', async (finishReason, expected) => {
    const client = await clientFor({ kind: 'answer', text: 'x', finishReason });
    expect((await client.complete(request)).finishReason).toBe(expected);
  });

  test('carries sampling, schema, headers, and nothing of this machine', async () => {
    vi.stubEnv('OPENAI_ORG_ID', 'org-of-somebody');
    vi.stubEnv('OPENAI_API_KEY', 'key-of-somebody');
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/');
    const seen: SeenRequest[] = [];
    const client = await clientFor((now) => {
      seen.push(now);
      return { kind: 'answer', text: '{}', promptTokens: 12, completionTokens: 34 };
    });
    const completion = await client.complete({
      ...request,
      responseSchema: { name: 'verdict', schema: classificationSchema },
      headers: { 'x-run': 'r1' },
    });
    vi.unstubAllEnvs();
    expect(completion.usage).toEqual({ promptTokens: 12, completionTokens: 34, reasoningTokens: 0 });
    expect(completion.latencyMs).toBeGreaterThan(0);
    expect(seen[0]?.body).toMatchObject({
      model: 'scripted',
      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 77,
      seed: 3,
      stream: false,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'verdict', strict: true, schema: { additionalProperties: false } },
      },
    });
    expect(seen[0]?.headers).toMatchObject({ 'x-run': 'r1', authorization: 'Bearer none' });
    expect(JSON.stringify(seen)).not.toContain('somebody');
  });
});

describe('a failure', () => {
  test.each<[string, Reply, string, string]>([
    ['401', { kind: 'status', status: 401 }, 'endpoint', 'ENDPOINT_REFUSED'],
    ['404', { kind: 'status', status: 404 }, 'endpoint', 'ENDPOINT_REFUSED'],
    ['400', { kind: 'status', status: 400 }, 'request', 'ENDPOINT_REFUSED'],
    ['429', { kind: 'status', status: 429 }, 'limited', 'ENDPOINT_OVERLOADED'],
    ['503', { kind: 'status', status: 503 }, 'limited', 'ENDPOINT_OVERLOADED'],
    ['500', { kind: 'status', status: 500 }, 'fault', 'ENDPOINT_OVERLOADED'],
    ['529', { kind: 'status', status: 529 }, 'fault', 'ENDPOINT_OVERLOADED'],
    ['a cut answer', { kind: 'cut' }, 'fault', 'ENDPOINT_OVERLOADED'],
    ['a hang', { kind: 'hang' }, 'fault', 'ENDPOINT_OVERLOADED'],
    [
      'an answer that is no JSON',
      { kind: 'raw', body: '<html>', contentType: 'text/html' },
      'fault',
      'ENDPOINT_OVERLOADED',
    ],
    ['half JSON', { kind: 'raw', body: '{"choices":[' }, 'fault', 'ENDPOINT_OVERLOADED'],
    ['an empty body', { kind: 'raw', body: '' }, 'fault', 'ENDPOINT_OVERLOADED'],
    [
      'another object',
      { kind: 'raw', body: '{"choices":[{"message":"hi"}]}' },
      'fault',
      'ENDPOINT_OVERLOADED',
    ],
    ['empty choices', { kind: 'raw', body: '{"choices":[]}' }, 'fault', 'ENDPOINT_OVERLOADED'],
    ['no choices', { kind: 'raw', body: '{"error":{"message":"in a 200"}}' }, 'fault', 'ENDPOINT_OVERLOADED'],
  ])('%s is of kind %s (%s)', async (_, reply, kind, code) => {
    const client = await clientFor(reply, { timeoutMs: 300 });
    const failure = await client.complete(request).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EndpointError);
    expect(failure).toMatchObject({ kind, code, field: expect.stringMatching(/^filter\.classifier/) });
  });

  test('of a refused key names the variable', async () => {
    const client = await clientFor({ kind: 'status', status: 401 });
    await expect(client.complete(request)).rejects.toMatchObject({
      field: 'filter.classifier.apiKeyEnv',
      message: expect.stringContaining('MY_KEY'),
    });
  });

  test.each([
    ['nobody listens', async () => `http://127.0.0.1:${await freePort()}/v1`, 'ECONNREFUSED'],
    ['the host is unknown', async () => 'http://no-such-host.invalid/v1', 'E'],
  ])('when %s is ENDPOINT_UNREACHABLE', async (_, url, code) => {
    const client = createChatClient({ baseUrl: await url(), model: 'm', timeoutMs: 5000 });
    clients.push(client);
    await expect(client.complete(request)).rejects.toMatchObject({
      kind: 'down',
      code: 'ENDPOINT_UNREACHABLE',
      message: expect.stringContaining(code),
    });
  });

  test('of TLS against a plain server is refused with a remedy, not retried for ever', async () => {
    const server = await startScriptedServer(() => ({ kind: 'answer', text: '' }));
    servers.push(server);
    const client = createChatClient({
      baseUrl: server.url.replace('http:', 'https:'),
      model: 'm',
      timeoutMs: 5000,
    });
    clients.push(client);
    await expect(client.complete(request)).rejects.toMatchObject({ code: 'ENDPOINT_REFUSED' });
  });
});

describe('a key', () => {
  const CANARY = 'canary-7f3b-not-shaped-like-a-key';

  test('is in the request and in nothing else: no error, log or ledger', async () => {
    const written: string[] = [];
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, method).mockImplementation(
        (...args: unknown[]) => void written.push(inspect(args, { depth: 10 })),
      );
    }
    vi.stubEnv('OPENAI_LOG', 'debug');
    const echo = (seen: SeenRequest): string =>
      JSON.stringify({ error: { message: `you sent ${seen.headers['authorization']}` } });
    const received: unknown[] = [];
    const failures: unknown[] = [];
    for (const status of [400, 401, 403, 404, 429, 500]) {
      const client = await clientFor(
        (seen) => {
          received.push(seen.headers['authorization']);
          return {
            kind: 'status',
            status,
            body: echo(seen),
            headers: { 'x-echo': String(seen.headers['authorization']) },
          };
        },
        { apiKey: CANARY },
      );
      failures.push(await client.complete(request).catch((error: unknown) => error));
    }
    for (const reply of [
      { kind: 'cut' },
      { kind: 'hang' },
      { kind: 'raw', body: '{"choices":[]}' },
    ] as const) {
      failures.push(
        await (
          await clientFor(reply, { apiKey: CANARY, timeoutMs: 200 })
        )
          .complete(request)
          .catch((error: unknown) => error),
      );
    }
    const localDir = await mkdtemp(join(tmpdir(), 'secpi-key-'));
    const objects = memoryObjects();
    const ledger = await openLedger({ objects, space: 'b'.repeat(64), localDir });
    const server = await startScriptedServer(() => ({ kind: 'answer', text: 'fine' }));
    servers.push(server);
    const endpoint = openEndpoint({
      addresses: [{ baseUrl: server.url, model: 'scripted', apiKey: CANARY }],
      concurrency: 1,
      timeoutMs: 5000,
      maxOutageMs: 5000,
    });
    const identity = { model: 'scripted', revision: '1', promptVersion: '1' };
    const { results } = await runRequests({
      rows: ['row'],
      toRequest: () => ({ ...request, rowId: 'row', index: 0 }),
      interpret: ({ text }) => text,
      identity,
      payer: 'a test',
      ledger,
      endpoint,
    });
    await endpoint.close();
    const journal = (
      await Promise.all(
        (await readdir(localDir, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')),
      )
    ).join('');
    await ledger.close();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await rm(localDir, { recursive: true });

    expect(received[0]).toBe(`Bearer ${CANARY}`);
    expect(failures.every((failure) => failure instanceof EndpointError)).toBe(true);
    expect(inspect(failures, { depth: 10, showHidden: true })).not.toContain(CANARY);
    expect(JSON.stringify(failures)).not.toContain(CANARY);
    expect(written.join('')).not.toContain(CANARY);
    expect(journal).toContain('fine');
    expect(journal + inspect(results, { depth: 10 })).not.toContain(CANARY);
  });

  test('that is named and not set is API_KEY_MISSING', () => {
    expect(readApiKey(undefined, {}, 'filter.classifier')).toBeUndefined();
    expect(readApiKey('MY_KEY', { MY_KEY: ' abc\n' }, 'filter.classifier')).toBe('abc');
    for (const environment of [{}, { MY_KEY: '' }, { MY_KEY: '  ' }]) {
      expect(() => readApiKey('MY_KEY', environment, 'filter.classifier')).toThrow(
        expect.objectContaining({ code: 'API_KEY_MISSING', field: 'filter.classifier.apiKeyEnv' }),
      );
    }
  });
});

describe('checkEndpoint', () => {
  const base = { model: 'scripted', environment: {}, field: 'distill.teacher', timeoutMs: 500 };

  async function modelsServer(status: number, body: string): Promise<string> {
    const { createServer } = await import('node:http');
    const server = createServer(
      (_, response) => void response.writeHead(status, { 'retry-after': '3' }).end(body),
    );
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    servers.push({
      url: '',
      port,
      counts: () => ({ requests: 0, paid: 0, cutOff: 0, maxInFlight: 0, byPrompt: {} }),
      close: async () => void server.close(),
    });
    return `http://127.0.0.1:${port}/v1/`;
  }

  test.each([
    [200, '{"data":[{"id":"scripted"},{"id":"b"}]}', { models: ['scripted', 'b'], listsModel: true }],
    [200, '{"data":[{"id":"b"}]}', { models: ['b'], listsModel: false }],
    [200, '{"data":[]}', { models: null, listsModel: null }],
    [200, 'hello', { models: null, listsModel: null }],
    [404, '', { models: null, listsModel: null }],
    [500, 'no cache folder', { models: null, listsModel: null }],
  ])('HTTP %i with %s shows that somebody is there', async (status, body, expected) => {
    expect(await checkEndpoint({ ...base, baseUrl: await modelsServer(status, body) })).toEqual(expected);
  });

  test.each([
    [401, 'ENDPOINT_REFUSED', false],
    [403, 'ENDPOINT_REFUSED', false],
    [429, 'ENDPOINT_OVERLOADED', true],
    [503, 'ENDPOINT_OVERLOADED', true],
    [502, 'ENDPOINT_OVERLOADED', true],
  ])('HTTP %i is %s', async (status, code, retryable) => {
    await expect(checkEndpoint({ ...base, baseUrl: await modelsServer(status, '{}') })).rejects.toMatchObject(
      {
        code,
        retryable,
        field: expect.stringMatching(/^distill\.teacher/),
      },
    );
  });

  test('nobody there is ENDPOINT_UNREACHABLE at baseUrl', async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v1`;
    await expect(checkEndpoint({ ...base, baseUrl })).rejects.toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      field: 'distill.teacher.baseUrl',
    });
  });

  test('somebody who never answers is ENDPOINT_UNREACHABLE within the time', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    await expect(checkEndpoint({ ...base, baseUrl: `http://127.0.0.1:${port}/v1` })).rejects.toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      message: expect.stringContaining('500 ms'),
    });
    silent.close();
  });

  test('a missing key is told before anything is sent', async () => {
    await expect(
      checkEndpoint({ ...base, apiKeyEnv: 'MY_KEY', baseUrl: 'http://127.0.0.1:9/v1' }),
    ).rejects.toMatchObject({ code: 'API_KEY_MISSING' });
  });
});
