/**
 * The recorded teacher: a local server that speaks the OpenAI chat protocol and answers from the records of this
 * project. It is no model: of the sampling only the seed counts, which chooses where a task has several recorded
 * answers, and what is not recorded is refused.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import { answerFor, MODELS } from './answer.ts';
import {
  chatRequestSchema,
  completionBody,
  ProtocolError,
  streamEvents,
  usageOf,
  type ChatCompletionRequest,
} from './protocol.ts';
import { loadRecords, type Records } from './records.ts';

export interface RecordedTeacherOptions {
  readonly recordsDir: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly host?: string;
  /** How long an answer takes, so that work can be interrupted in tests. */
  readonly latencyMs?: number;
}

export interface TeacherStats {
  readonly requests: number;
  /** By model, then by outcome: `answered`, or the code of the error. */
  readonly byModel: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface RecordedTeacher {
  /** Base URL for clients, ends in `/v1`. */
  readonly url: string;
  close(): Promise<void>;
  stats(): TeacherStats;
}

const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Throws DATASET_UNREADABLE when the records do not hold, RESOURCES_INSUFFICIENT when the port is taken. */
export async function startRecordedTeacher(options: RecordedTeacherOptions): Promise<RecordedTeacher> {
  const { host = '127.0.0.1', latencyMs = 0 } = options;
  const records = await loadRecords(options.recordsDir);
  const outcomes = new Map<string, Map<string, number>>();
  const count = (model: string, outcome: string): void => {
    const counts = outcomes.get(model) ?? new Map<string, number>();
    outcomes.set(model, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  };
  const stats = (): TeacherStats => statsOf(outcomes);
  const server = createServer((request, response) => {
    handle(request, response, { records, latencyMs, count, stats }).catch((error: unknown) =>
      fail(response, error),
    );
  });
  await listen(server, options.port, host);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://${host}:${port}/v1`,
    stats,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Context {
  readonly records: Records;
  readonly latencyMs: number;
  readonly count: (model: string, outcome: string) => void;
  readonly stats: () => TeacherStats;
}

async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const route = `${request.method} ${new URL(request.url ?? '/', 'http://localhost').pathname}`;
  switch (route) {
    case 'GET /v1/models':
      return sendJson(response, 200, {
        object: 'list',
        data: MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'secpi-records' })),
      });
    case 'GET /stats':
      return sendJson(response, 200, context.stats());
    case 'POST /v1/chat/completions':
      return complete(request, response, context);
    default:
      throw new ProtocolError(
        404,
        'unknown_route',
        `${route} is not served; there are GET /v1/models, POST /v1/chat/completions and GET /stats.`,
      );
  }
}

async function complete(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  let model = 'unread';
  try {
    const chat = await readChat(request);
    // Names that clients make up must not grow the counters without bound.
    model = MODELS.includes(chat.model) ? chat.model : 'unknown';
    await sleep(context.latencyMs);
    const answer = answerFor(chat, context.records);
    const usage = usageOf(chat.messages, answer);
    const envelope = {
      id: `chatcmpl-${randomUUID()}`,
      model: chat.model,
      created: Math.floor(Date.now() / 1000),
    };
    if (response.destroyed) return context.count(model, 'cut_off');
    if (chat.stream === true)
      sendStream(
        response,
        streamEvents(envelope, answer, chat.stream_options?.include_usage === true ? usage : null),
      );
    else sendJson(response, 200, completionBody(envelope, answer, usage));
    context.count(model, 'answered');
  } catch (error) {
    context.count(model, error instanceof ProtocolError ? error.code : 'failed');
    throw error;
  }
}

async function readChat(request: IncomingMessage): Promise<ChatCompletionRequest> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_REQUEST_BYTES)
      throw new ProtocolError(413, 'too_large', `The request is larger than ${MAX_REQUEST_BYTES} bytes.`);
    chunks.push(part);
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new ProtocolError(400, 'invalid_json', `The request is not JSON: ${messageOf(error)}.`);
  }
  const parsed = chatRequestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new ProtocolError(400, 'invalid_request', `The request does not fit: ${problems}.`);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendStream(response: ServerResponse, events: Iterable<string>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const data of events) response.write(`data: ${data}\n\n`);
  response.end();
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const answer = error instanceof ProtocolError ? error : new ProtocolError(500, 'failed', messageOf(error));
  sendJson(response, answer.status, answer.body);
}

function statsOf(outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>): TeacherStats {
  const requests = [...outcomes.values()]
    .flatMap((counts) => [...counts.values()])
    .reduce((sum, count) => sum + count, 0);
  return {
    requests,
    byModel: Object.fromEntries([...outcomes].map(([model, counts]) => [model, Object.fromEntries(counts)])),
  };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    throw new SecpiError(
      'RESOURCES_INSUFFICIENT',
      `The recorded teacher cannot listen on ${host}:${port}: ${messageOf(error)}.`,
      {
        remedy: 'Stop what uses the port, or choose another one.',
        cause: error,
      },
    );
  });
}
