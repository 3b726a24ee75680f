/** One chat completion, on the hot path: undici's dispatch, no retries of its own, errors of the catalogue. */
import { Pool, type Dispatcher } from 'undici';
import { onAbort } from './abortHub.ts';
import type { ChatRequest, Completion } from './chat.ts';
import { statusError, toEndpointError, WALL_TIMEOUT, type EndpointName } from './errors.ts';
import { bodySerialiser } from './requestBody.ts';
import { CONNECTION_OPTIONS } from './transport.ts';
import { malformed, toCompletion, type BodyOptions } from './wire.ts';

export interface ChatClientOptions {
  /** Root of the API, e.g. `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** Name of the variable that held the key, for remedies. */
  readonly apiKeyEnv?: string;
  readonly model: string;
  /** Wall time of one request, body included. */
  readonly timeoutMs: number;
  /** Path of the endpoint within the recipe, for errors. */
  readonly field?: string;
  /** Default `max_tokens`. */
  readonly tokenLimitField?: BodyOptions['tokenLimitField'];
  /** Connections at most; a request beyond waits for one. Default: as many as there are requests. */
  readonly connections?: number;
}

export interface CompleteRequest extends ChatRequest {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ChatClient {
  readonly model: string;
  /** Throws `EndpointError`; when the signal is aborted, the signal's reason. */
  complete(request: CompleteRequest): Promise<Completion>;
  /** Drops what is in flight. */
  close(): Promise<void>;
}

export function createChatClient(options: ChatClientOptions): ChatClient {
  const { model, timeoutMs, tokenLimitField = 'max_tokens' } = options;
  const { origin, pathname, search } = new URL(options.baseUrl);
  const path = `${pathname.replace(/\/+$/, '')}/chat/completions${search}`;
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    authorization: `Bearer ${options.apiKey ?? 'none'}`,
  };
  const serialise = bodySerialiser({ model, tokenLimitField });
  const pool = new Pool(origin, {
    ...CONNECTION_OPTIONS,
    ...(options.connections === undefined ? {} : { connections: options.connections }),
  });
  return {
    model,
    complete: async (request) => {
      request.signal?.throwIfAborted();
      const startedMs = performance.now();
      const exchange = new Exchange(timeoutMs, request.signal);
      pool.dispatch(
        {
          path,
          method: 'POST',
          headers: request.headers === undefined ? headers : { ...headers, ...request.headers },
          body: serialise(request),
        },
        exchange,
      );
      let answer: Answer;
      try {
        answer = await exchange.answered;
      } catch (error) {
        request.signal?.throwIfAborted();
        throw toEndpointError(error, options);
      }
      return toCompletion(jsonOf(answer, options), performance.now() - startedMs, options, request);
    },
    close: async () => await pool.destroy(),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One request and its answer; also ends it at the wall time or when the signal is aborted, whichever is first. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly answered: Promise<Answer>;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #release: (() => void) | null;
  #controller: Dispatcher.DispatchController | null = null;
  #ended: Error | null = null;
  #status = 0;
  #headers: Answer['headers'] = {};
  #chunks: Buffer[] = [];

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Timers of one duration share a list in the runtime: this is cheap.
    this.#timer = setTimeout(
      () => this.#end(Object.assign(new Error('wall timeout'), { code: WALL_TIMEOUT })),
      timeoutMs,
    );
    this.#release = signal === undefined ? null : onAbort(signal, () => this.#end(new Error('aborted')));
  }

  #end(error: Error): void {
    this.#ended = error;
    this.#controller?.abort(error);
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#release?.();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It waited for a connection until its end.
    if (this.#ended !== null) controller.abort(this.#ended);
    else this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Answer['headers']): void {
    this.#status = status;
    this.#headers = headers;
    this.#chunks = [];
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle();
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, text: bytes.toString() });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#settle();
    this.#reject(error);
  }
}

const BYTE_ORDER_MARK = '\ufeff';

/** The body of a 2xx, parsed. Throws for other statuses and for what is not JSON by its content type or its text. */
function jsonOf({ status, headers, text }: Answer, endpoint: EndpointName): unknown {
  if (status < 200 || status > 299) throw statusError(status, text, headersOf(headers), endpoint);
  if (!isJson(headers['content-type'])) throw malformed('the answer is not JSON', endpoint);
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch (error) {
    throw text === '' ? malformed('the answer is not JSON', endpoint) : toEndpointError(error, endpoint);
  }
}

function isJson(contentType: string | string[] | undefined): boolean {
  const [type = ''] = String(contentType ?? '').split(';');
  return type.includes('application/json') || type.trim().endsWith('+json');
}

function headersOf(incoming: Answer['headers']): Headers {
  const headers = new Headers();
  for (const name of ['retry-after', 'retry-after-ms']) {
    const value = incoming[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return headers;
}
