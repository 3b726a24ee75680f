/** One address of a model: its connections, its queue, its limits, and whether it is there. */
import type { ChatRequest, Completion } from './chat.ts';
import { createChatClient, type ChatClient, type ChatClientOptions } from './client.ts';
import { EndpointError } from './errors.ts';
import { Gate, type Turn } from './gate.ts';
import { Health } from './health.ts';
import { Limiter, type LimiterOptions } from './limiter.ts';
import type { Price } from './price.ts';
import { promptTokensOf } from './wire.ts';

export interface AddressOptions extends ChatClientOptions {
  readonly limits: LimiterOptions;
  readonly maxOutageMs: number;
  readonly price?: Price | undefined;
}

/** Told to slow down by these; 502 and 504 are a gateway's. */
const REFUSALS = new Set([429, 503]);
/** Completion tokens of an answer before any was seen, for the limit of tokens. */
const FIRST_GUESS_TOKENS = 500;
const FIRST_GUESS_LATENCY_MS = 50;

export class Address {
  readonly price: Price | undefined;
  readonly health: Health;
  readonly limiter: Limiter;
  readonly gate: Gate;
  readonly #client: ChatClient;
  readonly #countsTokens: boolean;
  #completionTokens = FIRST_GUESS_TOKENS;
  #latencyMs = FIRST_GUESS_LATENCY_MS;
  /** Since when there were refusals and no answer. */
  #refusedSinceMs: number | null = null;

  constructor({ limits, maxOutageMs, price, ...client }: AddressOptions) {
    this.price = price;
    this.health = new Health(maxOutageMs);
    this.limiter = new Limiter(limits);
    this.gate = new Gate(this.limiter);
    this.#client = createChatClient({ ...client, connections: limits.concurrency });
    this.#countsTokens = limits.tokensPerMinute !== undefined;
  }

  /** Of an answer, about. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  refusedForMs(nowMs: number): number {
    return this.#refusedSinceMs === null ? 0 : nowMs - this.#refusedSinceMs;
  }

  tokensOf(request: ChatRequest): number {
    return this.#countsTokens ? promptTokensOf(request) + this.#completionTokens : 0;
  }

  /**
   * One attempt. Learns from what happens, and ends the turn once `keep` has the answer. Throws as
   * `ChatClient.complete` does, and what `keep` throws.
   */
  async send(
    request: ChatRequest,
    turn: Turn,
    signal: AbortSignal,
    keep: (completion: Completion) => Promise<void>,
  ): Promise<Completion> {
    try {
      const completion = await this.#client.complete(asSent(request, signal));
      await keep(completion);
      this.#answered(completion, turn);
      return completion;
    } catch (error) {
      this.#failed(error, turn);
      throw error;
    } finally {
      this.gate.pump();
    }
  }

  #answered({ usage, latencyMs }: Completion, turn: Turn): void {
    const nowMs = performance.now();
    this.#latencyMs = this.#latencyMs * 0.95 + latencyMs * 0.05;
    this.#completionTokens = this.#completionTokens * 0.95 + usage.completionTokens * 0.05;
    this.#refusedSinceMs = null;
    if (this.health.heard(nowMs)) this.limiter.restart(nowMs);
    const usedTokens = usage.promptTokens + usage.completionTokens;
    this.limiter.accepted(nowMs, turn.number, this.#countsTokens ? usedTokens - turn.tokens : 0);
  }

  #failed(error: unknown, turn: Turn): void {
    const nowMs = performance.now();
    if (!(error instanceof EndpointError)) {
      // Aborted, or not kept: says nothing.
      this.#forget(turn);
      return;
    }
    if (REFUSALS.has(error.status ?? 0)) {
      this.#refusedSinceMs ??= nowMs;
      this.limiter.refused(nowMs, turn.number, error.retryAfterMs ?? null, turn.tokens);
    } else {
      this.limiter.accepted(nowMs, turn.number, -turn.tokens);
    }
    // Only a refusal that is no gateway's shows that the model's server is there.
    const isThere = error.kind === 'request' || error.kind === 'endpoint' || error.status === 429;
    if (isThere) this.health.heard(nowMs);
    else if (this.health.failed(nowMs, turn.sentMs, error)) this.gate.empty();
  }

  /** The turn is given back unused. */
  cancel(turn: Turn): void {
    this.#forget(turn);
    this.gate.pump();
  }

  #forget(turn: Turn): void {
    if (turn.isProbe) this.health.endProbe();
    this.limiter.cancelled(performance.now(), turn.number, turn.tokens);
  }

  async close(): Promise<void> {
    this.gate.close();
    await this.#client.close();
  }
}

function asSent({ messages, sampling, responseSchema, index }: ChatRequest, signal: AbortSignal) {
  return {
    messages,
    sampling,
    signal,
    ...(responseSchema === undefined ? {} : { responseSchema }),
    ...(index === undefined ? {} : { index }),
  };
}
