/** What an attempt needs before it goes out: an address, a turn there, a lease, money. */
import type { Reservation } from '../budget/types.ts';
import type { Address } from './address.ts';
import type { ChatRequest } from './chat.ts';
import type { AskOptions } from './endpoint.ts';
import type { Turn } from './gate.ts';
import type { Router } from './router.ts';

export interface Ready {
  readonly address: Address;
  readonly turn: Turn;
  readonly reservation: Reservation | null;
}

interface Prepared {
  readonly reservation: Reservation | null;
}

/** Who waits longer than this for a lease or for money lets others go meanwhile. */
const LET_OTHERS_GO_MS = 200;

/**
 * Money is set aside last, so that no more is bound than is in flight. Throws the signal's reason, what `lease` or
 * `reserve` throw, and ENDPOINT_UNREACHABLE.
 */
export async function takeTurn(
  router: Router,
  request: ChatRequest,
  { isRetry, hasProbed }: { readonly isRetry: boolean; readonly hasProbed: boolean },
  options: AskOptions,
): Promise<Ready> {
  let held: Prepared | null = null;
  try {
    for (;;) {
      const { address, isProbe } = await router.route(options.signal, hasProbed);
      const tokens = address.tokensOf(request);
      const turn = isProbe
        ? address.gate.pass(tokens)
        : await address.gate.enter(tokens, isRetry || held !== null, options.signal);
      if (turn === null) continue;
      if (options.lease === undefined && options.reserve === undefined)
        return { address, turn, reservation: null };
      const preparing = prepare(held, options);
      try {
        const prepared = await inTime(preparing);
        options.signal.throwIfAborted();
        if (prepared !== null) return { address, turn, reservation: prepared.reservation };
      } catch (error) {
        giveBack(router, address, turn);
        throw error;
      }
      giveBack(router, address, turn);
      held = await preparing;
    }
  } catch (error) {
    held?.reservation?.release();
    throw error;
  }
}

async function prepare(held: Prepared | null, { lease, reserve }: AskOptions): Promise<Prepared> {
  if (lease !== undefined) await lease();
  if (held !== null) return held;
  return { reservation: reserve === undefined ? null : await reserve() };
}

/** Null when it takes too long. */
async function inTime(preparing: Promise<Prepared>): Promise<Prepared | null> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, LET_OTHERS_GO_MS, null);
  try {
    return await Promise.race([preparing, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function giveBack(router: Router, address: Address, turn: Turn): void {
  address.cancel(turn);
  router.update();
}
