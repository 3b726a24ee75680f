/** What the watchers of all clouds share: one bounded request, and the shape of a source of notices. */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { PreemptionNotice, PreemptionSource } from '../types.ts';

/** Answers of a metadata service are a few hundred bytes; a pod is some tens of KB. */
const LONGEST_ANSWER_BYTES = 4 * 2 ** 20;

export interface Sighting {
  readonly notice: PreemptionNotice | null;
  /** Told in the log, and nothing else follows from it: the machine may go away, or may not. */
  readonly hint: string | null;
}

export interface NoticeSource {
  readonly name: PreemptionSource;
  /** Pause between two looks, by the cloud's own advice. */
  readonly everyMs: number;
  /** Whether the cloud's service answers on this machine, as that cloud's does. Rejects where nothing answers. */
  isHere(signal: AbortSignal): Promise<boolean>;
  /** Rejects when the service does not answer, or not as documented: that is no notice. */
  look(signal: AbortSignal): Promise<Sighting>;
}

export interface Answer {
  readonly status: number;
  header(name: string): string;
  readonly text: string;
}

export interface AskOptions {
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Certificate authority in PEM, for https with a private one. */
  readonly ca?: string;
}

/** One request on a connection of its own: no proxy of the environment, no pool that a hanging service could fill. */
export async function ask(
  url: string,
  { method = 'GET', headers = {}, timeoutMs, signal, ca }: AskOptions,
): Promise<Answer> {
  const dispatcher = new Agent({ connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) } });
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const answer = await request(url, { method, headers: { ...headers }, dispatcher, signal: limited });
    let text = '';
    for await (const chunk of answer.body.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > LONGEST_ANSWER_BYTES) throw new Error(`${url} answers without end`);
    }
    return {
      status: answer.statusCode,
      header: (name) => String(answer.headers[name.toLowerCase()] ?? ''),
      text,
    };
  } finally {
    await Promise.race([dispatcher.destroy(), delay(1000, undefined, { ref: false })]);
  }
}

/** What is in an answer of this status; other answers are errors of the service. */
export function expectStatus(url: string, { status, text }: Answer, expected: number): string {
  if (status !== expected) throw new Error(`${url} answered ${status}`);
  return text;
}
