/** The hot path is held to the `openai` client: the same request on the wire, the same answer, the same errors. */
import { afterEach, describe, expect, test } from 'vitest';
import { classificationSchema } from '../../src/contract/rows.ts';
import { createChatClient, type ChatClient, type CompleteRequest } from '../../src/services/llm/client.ts';
import { EndpointError } from '../../src/services/llm/errors.ts';
import { createOpenAiClient } from '../../src/services/llm/openaiClient.ts';
import { freePort } from '../store/server.ts';
import { startScriptedServer, type Reply, type ScriptedServer, type SeenRequest } from './scriptedServer.ts';

const sampling = { temperature: 0.5, topP: 0.9, maxTokens: 77, seed: 3 };
const request: CompleteRequest = { messages: [{ role: 'user', content: 'task' }], sampling };
const PATHS = [createChatClient, createOpenAiClient];

const servers: ScriptedServer[] = [];
const clients: ChatClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Both {
  readonly seen: SeenRequest[];
  readonly outcomes: unknown[];
}

/** What each path sends to a server of this script, and makes of it. */
async function both(
  reply: Reply,
  asked = request,
  options: Partial<Parameters<typeof createChatClient>[0]> = {},
): Promise<Both> {
  const seen: SeenRequest[] = [];
  const server = await startScriptedServer((now) => {
    seen.push(now);
    return reply;
  });
  servers.push(server);
  const outcomes: unknown[] = [];
  for (const create of PATHS) {
    const client = create({
      baseUrl: server.url,
      model: 'scripted',
      timeoutMs: 400,
      apiKey: 'a-key',
      apiKeyEnv: 'MY_KEY',
      field: 'filter.classifier',
      ...options,
    });
    clients.push(client);
    outcomes.push(await client.complete(asked).then(comparable, comparableError));
  }
  return { seen, outcomes };
}

function comparable(completion: object): object {
  return { ...completion, latencyMs: null };
}

/** Words differ between the libraries only where a socket breaks. */
function comparableError(error: unknown): object {
  if (!(error instanceof EndpointError)) return { thrown: String(error) };
  const { kind, code, field, status, mayBeCharged, retryAfterMs, remedy, problem } = error;
  return {
    kind,
    code,
    field,
    status,
    mayBeCharged,
    retryAfterMs,
    remedy,
    problem: /connection broke|request failed/.test(problem) ? 'broken' : problem,
  };
}

describe('the same request goes out', () => {
  test.each<[string, CompleteRequest, Partial<Parameters<typeof createChatClient>[0]>]>([
    ['plain', request, {}],
    ['with a schema', { ...request, responseSchema: { name: 'v', schema: classificationSchema } }, {}],
    ['of a later sample', { ...request, index: 5 }, {}],
    ['with another limit', request, { tokenLimitField: 'max_completion_tokens' }],
    ['with a header', { ...request, headers: { 'x-secpi-batch': '1/2' } }, {}],
    [
      'with several messages and all of Unicode',
      {
        ...request,
        messages: [
          { role: 'system', content: 'ü\ud800' },
          { role: 'user', content: '"\\\u2028' },
          { role: 'assistant', content: '' },
        ],
      },
      {},
    ],
  ])('%s', async (_, asked, options) => {
    const { seen } = await both({ kind: 'answer', text: 'ok' }, asked, options);
    const [hot, reference] = seen.map(({ method, path, body, headers }) => ({
      method,
      path,
      body,
      authorization: headers['authorization'],
      accept: headers['accept'],
      contentType: headers['content-type'],
      batch: headers['x-secpi-batch'],
    }));
    expect(hot).toEqual(reference);
    expect(hot).toMatchObject({
      method: 'POST',
      path: '/v1/chat/completions',
      authorization: 'Bearer a-key',
    });
  });
});

const status = (code: number, body?: string, headers: Record<string, string> = {}): Reply => ({
  kind: 'status',
  status: code,
  headers,
  ...(body === undefined ? {} : { body }),
});
const raw = (body: string, contentType?: string): Reply => ({
  kind: 'raw',
  body,
  ...(contentType === undefined ? {} : { contentType }),
});

const replies: [string, Reply][] = [
  ['an answer', { kind: 'answer', text: 'ok', promptTokens: 12, completionTokens: 34 }],
  ['reasoning beside it', { kind: 'answer', text: 'ok', reasoning: 'why' }],
  ['reasoning in tags', { kind: 'answer', text: '<think>why</think>ok' }],
  ['reasoning that was cut off', { kind: 'answer', text: '<think>why', finishReason: 'length' }],
  ['no content', { kind: 'answer', text: null }],
  ['half a surrogate pair', { kind: 'answer', text: 'a\ud800b' }],
  ['10 MB', { kind: 'answer', text: 'x'.repeat(10_000_000) }],
  ['no usage', raw('{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}')],
  ['a byte order mark', raw('\ufeff{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}')],
  [
    'JSON of another type',
    raw('{"choices":[{"message":{"content":"ok"}}]}', 'application/vnd.api+json; charset=utf-8'),
  ],
  ['JSON called text', raw('{"choices":[{"message":{"content":"ok"}}]}', 'text/plain')],
  ['HTML', raw('<html>', 'text/html')],
  ['half JSON', raw('{"choices":[')],
  ['an empty body', raw('')],
  ['null', raw('null')],
  ['a number', raw('7')],
  ['a list', raw('[]')],
  ['empty choices', raw('{"choices":[]}')],
  ['another object', raw('{"choices":[{"message":"hi"}]}')],
  ['an error in a 200', raw('{"error":{"message":"oh"}}')],
  ...[204, 301, 307, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 500, 501, 502, 503, 504, 529].map(
    (code): [string, Reply] => [`HTTP ${code}`, status(code)],
  ),
  ['a refusal in plain text', status(400, 'no such parameter')],
  ['a refusal without a body', status(500, '')],
  ['a refusal with a list', status(400, '[1]')],
  ['a refusal with a code', status(400, '{"error":{"message":"too long","code":"context_length_exceeded"}}')],
  ['an unknown model', status(404, '{"error":{"message":"no model","code":"model_not_found"}}')],
  ['an empty account', status(429, '{"error":{"message":"no money","code":"insufficient_quota"}}')],
  ['429 in seconds', status(429, '{}', { 'retry-after': '7' })],
  ['429 in fractions', status(429, '{}', { 'retry-after': '0.25' })],
  ['429 in milliseconds', status(429, '{}', { 'retry-after-ms': '250', 'retry-after': '7' })],
  ['503 with a wait', status(503, '{}', { 'retry-after': '2' })],
  ['an echoed key', status(400, '{"error":{"message":"you sent Bearer a-key"}}')],
  ['a cut answer', { kind: 'cut' }],
  ['a torn answer', { kind: 'torn' }],
  ['a hang', { kind: 'hang' }],
];

describe('the same is made of', () => {
  test.each(replies)('%s', async (_, reply) => {
    const { outcomes } = await both(reply);
    expect(outcomes[0]).toEqual(outcomes[1]);
    expect(JSON.stringify(outcomes)).not.toContain('a-key');
  });

  test('nobody who listens', async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v1`;
    const { outcomes } = await both({ kind: 'hang' }, request, { baseUrl });
    expect(outcomes[0]).toEqual(outcomes[1]);
    expect(outcomes[0]).toMatchObject({ kind: 'down', mayBeCharged: false });
  });

  test('an unknown host', async () => {
    const { outcomes } = await both({ kind: 'hang' }, request, { baseUrl: 'http://no-such-host.invalid/v1' });
    expect(outcomes[0]).toEqual(outcomes[1]);
  });

  test('TLS asked of a plain server', async () => {
    const server = await startScriptedServer(() => ({ kind: 'hang' }));
    servers.push(server);
    const { outcomes } = await both({ kind: 'hang' }, request, {
      baseUrl: server.url.replace('http:', 'https:'),
    });
    expect(outcomes[0]).toEqual(outcomes[1]);
    expect(outcomes[0]).toMatchObject({ kind: 'endpoint', code: 'ENDPOINT_REFUSED' });
  });

  test('an abort', async () => {
    const signal = AbortSignal.timeout(50);
    const { outcomes } = await both({ kind: 'hang' }, { ...request, signal });
    expect(outcomes[0]).toEqual({ thrown: String(signal.reason) });
    expect(outcomes[0]).toEqual(outcomes[1]);
  });
});

test('an answer without end is cut off at 64 MiB', async () => {
  const { createServer } = await import('node:http');
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(4 * 1024 * 1024, 'x');
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${port}/v1`;
  const { outcomes } = await both({ kind: 'hang' }, request, { baseUrl, timeoutMs: 20_000 });
  server.close();
  server.closeAllConnections();
  expect(outcomes[0]).toEqual(outcomes[1]);
  expect(outcomes[0]).toMatchObject({ kind: 'request', code: 'ANSWER_UNUSABLE', mayBeCharged: true });
});
