/**
 * An OpenAI-compatible endpoint that does what a script says, over real HTTP: answers, refuses, hangs, cuts the line.
 * In this process (`startScriptedServer`), or in one of its own (`startScriptedProcess`), which a kill of others
 * leaves alone. What it counts is told by `GET /scripted-counts`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type Reply =
  | {
      readonly kind: 'answer';
      readonly text: string | null;
      readonly reasoning?: string;
      readonly reasoningContent?: string;
      readonly finishReason?: string;
      readonly promptTokens?: number;
      readonly completionTokens?: number;
    }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** A 200 with any body. */
  | { readonly kind: 'raw'; readonly body: string; readonly contentType?: string }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Sends headers and half of an answer, then drops the connection. */
  | { readonly kind: 'cut' }
  /** The same with a content length that is not reached. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'delay'; readonly ms: number; readonly reply: Reply };

export interface SeenRequest {
  /** The last user message. */
  readonly prompt: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly method: string;
  readonly path: string;
  /** How often this prompt was asked, this time included. */
  readonly times: number;
  /** All requests so far, this one included. */
  readonly total: number;
}

export type Script = (request: SeenRequest) => Reply;

export interface ScriptedCounts {
  /** Chat requests that arrived. */
  readonly requests: number;
  /** Answers handed to the connection whole: what a provider would charge for. */
  readonly paid: number;
  /** Requests whose client went away before the answer. */
  readonly cutOff: number;
  readonly maxInFlight: number;
  /** By prompt. */
  readonly byPrompt: Readonly<Record<string, { readonly requests: number; readonly paid: number }>>;
}

export interface ScriptedServer {
  /** Base URL for clients, ends in `/v1`. */
  readonly url: string;
  readonly port: number;
  counts(): ScriptedCounts;
  close(): Promise<void>;
}

export async function startScriptedServer(
  script: Script,
  options: { readonly port?: number } = {},
): Promise<ScriptedServer> {
  const byPrompt = new Map<string, { requests: number; paid: number }>();
  const sums = { requests: 0, paid: 0, cutOff: 0, inFlight: 0, maxInFlight: 0 };
  const counts = (): ScriptedCounts => ({
    requests: sums.requests,
    paid: sums.paid,
    cutOff: sums.cutOff,
    maxInFlight: sums.maxInFlight,
    byPrompt: Object.fromEntries(byPrompt),
  });

  const chat = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await textOf(request)) as Record<string, unknown>;
    const prompt = lastPrompt(body);
    const seen = byPrompt.get(prompt) ?? { requests: 0, paid: 0 };
    byPrompt.set(prompt, seen);
    seen.requests += 1;
    sums.requests += 1;
    sums.inFlight += 1;
    sums.maxInFlight = Math.max(sums.maxInFlight, sums.inFlight);
    let answered = false;
    response.on('close', () => {
      sums.inFlight -= 1;
      if (!answered) sums.cutOff += 1;
    });
    const reply = script({
      prompt,
      body,
      headers: request.headers,
      method: request.method ?? '',
      path: request.url ?? '',
      times: seen.requests,
      total: sums.requests,
    });
    await play(reply, response, () => {
      answered = true;
      if (played(reply).kind === 'answer') {
        seen.paid += 1;
        sums.paid += 1;
      }
    });
  };

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/scripted-counts') return void response.end(JSON.stringify(counts()));
    if (path.endsWith('/models'))
      return void response.end(JSON.stringify({ object: 'list', data: [{ id: 'scripted' }] }));
    chat(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    port: address.port,
    counts,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What comes in the end. */
function played(reply: Reply): Exclude<Reply, { kind: 'delay' }> {
  return reply.kind === 'delay' ? played(reply.reply) : reply;
}

async function play(reply: Reply, response: ServerResponse, onAnswered: () => void): Promise<void> {
  switch (reply.kind) {
    case 'hang':
      return;
    case 'delay':
      await sleep(reply.ms);
      if (!response.destroyed) await play(reply.reply, response, onAnswered);
      return;
    case 'cut':
    case 'torn':
      onAnswered();
      response.writeHead(200, {
        'content-type': 'application/json',
        ...(reply.kind === 'torn' ? { 'content-length': '400' } : { 'transfer-encoding': 'chunked' }),
      });
      response.write('{"choices":[{"message":{"content":"half of an');
      await sleep(20);
      response.destroy();
      return;
    case 'status':
      onAnswered();
      response
        .writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
        .end(reply.body ?? '{"error":{"message":"scripted"}}');
      return;
    case 'raw':
      onAnswered();
      response.writeHead(200, { 'content-type': reply.contentType ?? 'application/json' }).end(reply.body);
      return;
    case 'answer':
      onAnswered();
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(chatCompletion(reply)));
      return;
  }
}

function chatCompletion(reply: Extract<Reply, { kind: 'answer' }>): object {
  const message = {
    role: 'assistant',
    content: reply.text,
    ...(reply.reasoning === undefined ? {} : { reasoning: reply.reasoning }),
    ...(reply.reasoningContent === undefined ? {} : { reasoning_content: reply.reasoningContent }),
  };
  const prompt = reply.promptTokens ?? 10;
  const completion = reply.completionTokens ?? 5;
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 0,
    model: 'scripted',
    choices: [{ index: 0, message, finish_reason: reply.finishReason ?? 'stop' }],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function lastPrompt(body: Record<string, unknown>): string {
  const messages = body['messages'] as { role: string; content: string }[];
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

export interface ScriptedProcess {
  readonly url: string;
  readonly pid: number;
  counts(): Promise<ScriptedCounts>;
  stop(): Promise<void>;
}

/** `module` exports `makeScript(args: string[]): Script`. */
export async function startScriptedProcess(
  module: URL,
  args: readonly string[] = [],
): Promise<ScriptedProcess> {
  const main = fileURLToPath(new URL('scriptedServerMain.ts', import.meta.url));
  const child: ChildProcess = fork(main, [module.href, ...args], {
    execPath: process.execPath,
    execArgv: [],
  });
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    pid: child.pid ?? 0,
    counts: async () => (await (await fetch(new URL('/scripted-counts', url))).json()) as ScriptedCounts,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
