/** One POST to a target. Says what went wrong without the address, the secret or the answer's text. */
import { SecpiError } from '../../contract/errors.ts';
import { retryAfterMs } from '../llm/backoff.ts';
import { sign, SIGNATURE_HEADER } from './signature.ts';
import type { Target } from './target.ts';

const TIMEOUT_MS = 15_000;
/** A receiver that asks for more is asked again all the same, within the patience of the activity. */
const LONGEST_DELAY_MS = 10 * 60_000;
/** Of the 4xx, those that pass: request timeout, too many requests. */
const PASSING = new Set([408, 429]);

export interface Delivery {
  readonly target: Target;
  readonly body: string;
  /** The same at each attempt: a receiver that saw it already takes no second one. */
  readonly idempotencyKey: string;
  /** How errors call the receiver: the variable that holds its address. */
  readonly name: string;
  readonly signal?: AbortSignal;
}

/** Resolves on 2xx. Throws NOTIFY_REFUSED (not to be tried again) or NOTIFY_UNREACHABLE (to be tried again). */
export async function deliver({ target, body, idempotencyKey, name, signal }: Delivery): Promise<void> {
  const { url, secret } = target;
  const signature = secret === null ? null : sign(secret, body, Math.floor(Date.now() / 1000));
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
        'user-agent': 'secpi-pipeline',
        ...(signature === null ? {} : { [SIGNATURE_HEADER]: signature }),
      },
      body,
      // A redirect would carry the message to an address that nobody named.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    // The connection is given back; what a receiver says may hold its own address.
    await response.body?.cancel();
  } catch (error) {
    signal?.throwIfAborted();
    throw new SecpiError('NOTIFY_UNREACHABLE', `the receiver of ${name} did not answer: ${reasonOf(error)}.`);
  }
  const { ok, status, headers } = response;
  if (ok) return;
  if (status >= 500 || PASSING.has(status)) {
    const delayMs = retryAfterMs(headers, Date.now());
    throw new SecpiError(
      'NOTIFY_UNREACHABLE',
      `the receiver of ${name} answered ${status}.`,
      delayMs === null ? {} : { retryAfterMs: Math.min(delayMs, LONGEST_DELAY_MS) },
    );
  }
  throw new SecpiError('NOTIFY_REFUSED', `the receiver of ${name} answered ${status}.`);
}

/** A code such as ECONNREFUSED: messages of sockets name hosts. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `nothing within ${TIMEOUT_MS / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/u.test(code) ? code : 'the connection broke';
}
