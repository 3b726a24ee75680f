/**
 * A provider's batch interface (files, batches; the OpenAI shape) over real HTTP that does what a scenario says. In this
 * process (`startBatchServer`), or in one of its own (`startBatchProcess`), which a kill of others leaves alone. Counts
 * what it executed: each execution is one that a provider charges for. `GET /counts` tells.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type RowReply =
  | { readonly kind: 'answer'; readonly promptTokens?: number; readonly completionTokens?: number }
  /** Executed, two lines of it in the output file. */
  | { readonly kind: 'twice' }
  /** Executed, in neither file. */
  | { readonly kind: 'omit' }
  /** Executed, its line cut in every download. */
  | { readonly kind: 'torn' }
  /** Executed, a 200 without choices. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'status'; readonly status: number; readonly code?: string };

export type JobScript =
  | { readonly kind: 'complete' }
  /** Ends after so many rows, the rest with `batch_expired` in the error file; `silent` rows are in no file. */
  | { readonly kind: 'expire' | 'cancelled'; readonly after: number; readonly silent?: boolean }
  /** Fails validation, with words or without. */
  | { readonly kind: 'fail'; readonly code?: string; readonly message?: string };

type Fault = NonNullable<Scenario['faults']>[number];

export interface Scenario {
  /** From creation to the end of the job. */
  readonly runMs?: number;
  /** By creation, the last one for all after it. */
  readonly jobs?: readonly JobScript[];
  /** By prompt, one for each time it is executed; the last one for all after it. */
  readonly rows?: Readonly<Record<string, readonly RowReply[]>>;
  /** Batches of one page of the list. */
  readonly pageSize?: number;
  /** The first `times` requests that match (`METHOD /path` as a regular expression). `after`: done, then not told. */
  readonly faults?: readonly {
    readonly match: string;
    readonly times: number;
    readonly status: number;
    readonly after?: boolean;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }[];
  /** So many downloads lose their second half, without a word. */
  readonly cutDownloads?: number;
  /** Lines for rows that nobody asked about. */
  readonly foreignLines?: boolean;
  /** The provider keeps no metadata. */
  readonly dropMetadata?: boolean;
  /** Jobs of others, before and after, in the list. */
  readonly otherJobs?: number;
}

export interface BatchCounts {
  readonly uploads: number;
  readonly created: number;
  readonly cancelled: number;
  readonly downloads: number;
  readonly lists: number;
  readonly retrieves: number;
  /** Rows executed and answered, by prompt. */
  readonly paid: Readonly<Record<string, number>>;
  /** Rows seen in input files of jobs, by prompt. */
  readonly asked: Readonly<Record<string, number>>;
  /** Jobs that have not ended: what they will execute is in no count yet. */
  readonly running: number;
  readonly bodies: readonly Readonly<Record<string, unknown>>[];
  readonly metadata: readonly (Readonly<Record<string, string>> | null)[];
}

interface InputLine {
  readonly custom_id: string;
  readonly method: string;
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly id: string;
  readonly inputFileId: string;
  readonly metadata: Record<string, string> | null;
  readonly createdMs: number;
  readonly script: JobScript;
  readonly lines: readonly InputLine[];
  status: string;
  cancelAsked: boolean;
  endedMs: number | null;
  outputFileId: string | null;
  errorFileId: string | null;
  answered: number;
}

export interface BatchServer {
  readonly url: string;
  counts(): BatchCounts;
  close(): Promise<void>;
}

export async function startBatchServer(scenario: Scenario = {}): Promise<BatchServer> {
  const state = new BatchState(scenario);
  const server = createServer((request, response) => {
    state.handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ error: { message: String(error) } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    counts: () => state.counts(),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export const answerTo = (prompt: string): string => `answer to ${prompt} — ü`;

class BatchState {
  readonly #scenario: Scenario;
  readonly #files = new Map<string, string>();
  readonly #jobs: Job[] = [];
  readonly #faultsLeft: number[];
  readonly #executed = new Map<string, number>();
  readonly #paid = new Map<string, number>();
  readonly #asked = new Map<string, number>();
  readonly #bodies: Readonly<Record<string, unknown>>[] = [];
  readonly #sums = { uploads: 0, created: 0, cancelled: 0, downloads: 0, lists: 0, retrieves: 0 };
  #cutsLeft: number;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#faultsLeft = (scenario.faults ?? []).map(({ times }) => times);
    this.#cutsLeft = scenario.cutDownloads ?? 0;
    for (let at = 0; at < (scenario.otherJobs ?? 0); at += 1) {
      this.#jobs.push({
        ...emptyJob(`batch_other_${at}`, 'file-other', { other: String(at) }),
        status: 'completed',
      });
    }
  }

  counts(): BatchCounts {
    const own = this.#jobs.filter(({ lines }) => lines.length > 0);
    for (const job of own) this.#advance(job);
    return {
      ...this.#sums,
      paid: Object.fromEntries(this.#paid),
      asked: Object.fromEntries(this.#asked),
      running: own.filter(({ endedMs }) => endedMs === null).length,
      bodies: this.#bodies,
      metadata: own.map(({ metadata }) => metadata),
    };
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    const body = await bytesOf(request);
    const route = `${request.method} ${url.pathname}`;
    if (route === 'GET /counts') return void response.end(JSON.stringify(this.counts()));
    const scripted = this.#faultFor(route);
    if (scripted !== null && !scripted.after) {
      const { status, headers, body: text } = scripted.fault;
      return void response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(text ?? '{"error":{"message":"scripted"}}');
    }
    const answer = await this.#answer(route, url, request, body);
    // Done, but nobody hears of it: the connection breaks.
    if (scripted !== null) return void response.destroy();
    if (typeof answer === 'string') return void response.writeHead(200).end(answer);
    json(response, 'error' in answer ? 404 : 200, answer);
  }

  #faultFor(route: string): { readonly fault: Fault; readonly after: boolean } | null {
    for (const [at, fault] of (this.#scenario.faults ?? []).entries()) {
      const left = this.#faultsLeft[at] ?? 0;
      if (left === 0 || !new RegExp(fault.match).test(route)) continue;
      this.#faultsLeft[at] = left - 1;
      return { fault, after: fault.after ?? false };
    }
    return null;
  }

  async #answer(
    route: string,
    url: URL,
    request: IncomingMessage,
    body: Buffer<ArrayBuffer>,
  ): Promise<object | string> {
    const [, , kind, id = '', action] = url.pathname.split('/');
    if (route === 'POST /v1/files') return this.#upload(request, body);
    if (route === 'POST /v1/batches') return this.#create(JSON.parse(body.toString()));
    if (route === 'GET /v1/batches') return this.#list(url.searchParams);
    if (kind === 'files' && action === 'content') return this.#download(id);
    const job = this.#jobs.find((candidate) => candidate.id === id);
    if (kind !== 'batches' || job === undefined) return { error: { message: `no such ${kind} ${id}` } };
    if (action === 'cancel') {
      this.#sums.cancelled += 1;
      job.cancelAsked = true;
    } else this.#sums.retrieves += 1;
    return shown(this.#advance(job));
  }

  async #upload(request: IncomingMessage, body: Buffer<ArrayBuffer>): Promise<object> {
    const form = await new Response(body, {
      headers: { 'content-type': request.headers['content-type'] ?? '' },
    }).formData();
    const file = form.get('file');
    if (!(file instanceof File) || form.get('purpose') !== 'batch') throw new Error('no batch file');
    this.#sums.uploads += 1;
    const id = `file-in-${this.#sums.uploads}`;
    this.#files.set(id, await file.text());
    return {
      id,
      object: 'file',
      bytes: file.size,
      filename: file.name,
      purpose: 'batch',
      status: 'processed',
    };
  }

  #create(body: {
    input_file_id: string;
    endpoint: string;
    completion_window: string;
    metadata?: Record<string, string>;
  }): object {
    const text = this.#files.get(body.input_file_id);
    if (text === undefined || body.endpoint !== '/v1/chat/completions' || body.completion_window !== '24h')
      return { error: { message: 'no such input file' } };
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as InputLine);
    if (new Set(lines.map(({ custom_id: id }) => id)).size !== lines.length) throw new Error('duplicate ids');
    for (const { method, url, body } of lines) {
      if (method !== 'POST' || url !== '/v1/chat/completions') throw new Error('bad line');
      this.#bodies.push(body);
      count(this.#asked, promptOf(body));
    }
    const scripts = this.#scenario.jobs ?? [];
    const script = scripts[this.#sums.created] ?? scripts.at(-1) ?? { kind: 'complete' };
    this.#sums.created += 1;
    const job: Job = {
      ...emptyJob(
        `batch_${this.#sums.created}`,
        body.input_file_id,
        this.#scenario.dropMetadata === true ? null : (body.metadata ?? null),
      ),
      script,
      lines,
    };
    this.#jobs.push(job);
    return shown(job);
  }

  /** Newest first, as providers list. */
  #list(query: URLSearchParams): object {
    this.#sums.lists += 1;
    const size = Math.min(Number(query.get('limit') ?? 20), this.#scenario.pageSize ?? 100);
    const all = this.#jobs.toReversed();
    const from = all.findIndex(({ id }) => id === query.get('after')) + 1;
    const page = all.slice(from, from + size).map((job) => shown(this.#advance(job)));
    return { object: 'list', data: page, has_more: from + size < all.length };
  }

  #download(fileId: string): string | object {
    const text = this.#files.get(fileId);
    if (text === undefined) return { error: { message: `no such file ${fileId}` } };
    this.#sums.downloads += 1;
    if (this.#cutsLeft === 0) return text;
    this.#cutsLeft -= 1;
    return text.slice(0, Math.floor(text.length / 2) + 5);
  }

  /** Moves a job to where its time has brought it. */
  #advance(job: Job): Job {
    if (job.endedMs !== null || job.id.startsWith('batch_other')) return job;
    const ageMs = Date.now() - job.createdMs;
    const runMs = this.#scenario.runMs ?? 30;
    job.status = ageMs < runMs / 3 ? 'validating' : ageMs < runMs ? 'in_progress' : 'finalizing';
    if (ageMs < runMs && !job.cancelAsked) return job;
    job.endedMs = Date.now();
    const { script } = job;
    if (script.kind === 'fail') {
      job.status = 'failed';
      return job;
    }
    if (job.cancelAsked) this.#execute(job, Math.floor(job.lines.length / 2), 'batch_cancelled', false);
    else if (script.kind === 'complete') this.#execute(job, job.lines.length, '', false);
    else
      this.#execute(
        job,
        script.after,
        `batch_${script.kind}`.replace('expire', 'expired'),
        script.silent ?? false,
      );
    job.status = job.cancelAsked
      ? 'cancelled'
      : { complete: 'completed', expire: 'expired', cancelled: 'cancelled' }[script.kind];
    return job;
  }

  #execute(job: Job, upTo: number, code: string, silent: boolean): void {
    const output: string[] = [];
    const errors: string[] = [];
    for (const [at, line] of job.lines.entries()) {
      if (at < upTo) this.#executeLine(line, output, errors);
      else if (!silent) {
        const error = { code, message: 'This request could not be executed in time.' };
        errors.push(JSON.stringify({ id: `req_${at}`, custom_id: line.custom_id, response: null, error }));
      }
    }
    job.answered = output.length;
    if (this.#scenario.foreignLines === true) output.push(success('f'.repeat(64), 'nobody asked', {}));
    // Any order: the last first.
    job.outputFileId = this.#store(`file-out-${job.id}`, output.toReversed());
    job.errorFileId = this.#store(`file-err-${job.id}`, errors.toReversed());
  }

  #executeLine({ custom_id: id, body }: InputLine, output: string[], errors: string[]): void {
    const prompt = promptOf(body);
    const times = count(this.#executed, prompt);
    const script = this.#scenario.rows?.[prompt] ?? [];
    const reply = script[times - 1] ?? script.at(-1) ?? { kind: 'answer' };
    if (reply.kind === 'status') {
      const { status, code = null } = reply;
      const response = {
        status_code: status,
        request_id: 'r',
        body: { error: { message: 'scripted', code } },
      };
      errors.push(JSON.stringify({ id: 'req', custom_id: id, response, error: null }));
      return;
    }
    count(this.#paid, prompt);
    const whole = success(id, answerTo(prompt), reply.kind === 'answer' ? reply : {});
    if (reply.kind === 'answer') output.push(whole);
    if (reply.kind === 'twice') output.push(whole, success(id, 'another answer', {}));
    if (reply.kind === 'torn') output.push(whole.slice(0, whole.length / 2));
    if (reply.kind === 'empty') {
      const response = { status_code: 200, request_id: 'r', body: { choices: [] } };
      output.push(JSON.stringify({ id: 'req', custom_id: id, response, error: null }));
    }
  }

  #store(id: string, lines: readonly string[]): string | null {
    if (lines.length === 0) return null;
    this.#files.set(id, lines.map((line) => `${line}\n`).join(''));
    return id;
  }
}

function emptyJob(id: string, inputFileId: string, metadata: Record<string, string> | null): Job {
  return {
    id,
    inputFileId,
    metadata,
    createdMs: Date.now(),
    script: { kind: 'complete' },
    lines: [],
    status: 'validating',
    cancelAsked: false,
    endedMs: null,
    outputFileId: null,
    errorFileId: null,
    answered: 0,
  };
}

function shown(job: Job): object {
  const { script } = job;
  const failed = job.status === 'failed' && script.kind === 'fail' && script.message !== undefined;
  return {
    id: job.id,
    object: 'batch',
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    input_file_id: job.inputFileId,
    status: job.status,
    created_at: Math.floor(job.createdMs / 1000),
    completed_at: job.endedMs === null ? null : Math.floor(job.endedMs / 1000),
    output_file_id: job.outputFileId,
    error_file_id: job.errorFileId,
    metadata: job.metadata,
    request_counts: { total: job.lines.length, completed: job.answered, failed: 0 },
    errors: failed
      ? {
          object: 'list',
          data: [{ code: script.code ?? null, message: script.message, line: 1, param: null }],
        }
      : null,
  };
}

function success(
  id: string,
  text: string,
  tokens: { readonly promptTokens?: number; readonly completionTokens?: number },
): string {
  const body = {
    object: 'chat.completion',
    model: 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: tokens.promptTokens ?? 10, completion_tokens: tokens.completionTokens ?? 5 },
  };
  return JSON.stringify({
    id: 'req',
    custom_id: id,
    response: { status_code: 200, request_id: 'r', body },
    error: null,
  });
}

function promptOf(body: Readonly<Record<string, unknown>>): string {
  const messages = body['messages'] as { role: string; content: string }[];
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}

function count(counts: Map<string, number>, name: string): number {
  const next = (counts.get(name) ?? 0) + 1;
  counts.set(name, next);
  return next;
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bytesOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export interface BatchProcess {
  readonly url: string;
  /** When every job has ended, those too that nobody asks about. */
  counts(): Promise<BatchCounts>;
  stop(): Promise<void>;
}

export async function startBatchProcess(scenario: Scenario = {}): Promise<BatchProcess> {
  const main = fileURLToPath(new URL('batchServerMain.ts', import.meta.url));
  const child: ChildProcess = fork(main, [JSON.stringify(scenario)], {
    execPath: process.execPath,
    execArgv: [],
  });
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    counts: async () => {
      for (;;) {
        const counts = (await (await fetch(new URL('/counts', url))).json()) as BatchCounts;
        if (counts.running === 0) return counts;
        await sleep(20);
      }
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
