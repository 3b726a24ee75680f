/** An address with a limit, and a client that follows a `Limiter`, in simulated time: minutes in milliseconds. */
import type { Limiter } from '../../src/services/llm/limiter.ts';

/** Null: the request is accepted; else it is refused, with the wait that is asked for. */
export type Admission = (nowMs: number) => null | { readonly retryAfterMs: number | null };

export type SaysRetryAfter = 'whole seconds' | 'exactly' | 'not';

/** So many requests in every second of its clock. */
export function fixedWindow(
  perSecond: (nowMs: number) => number,
  phaseMs: number,
  says: SaysRetryAfter,
): Admission {
  let window = -1;
  let count = 0;
  return (nowMs) => {
    const now = Math.floor((nowMs + phaseMs) / 1000);
    if (now !== window) {
      window = now;
      count = 0;
    }
    if (count < perSecond(nowMs)) {
      count += 1;
      return null;
    }
    return refusal(1000 - ((nowMs + phaseMs) % 1000), says);
  };
}

export function tokenBucket(perSecond: number, burst: number, says: SaysRetryAfter): Admission {
  let level = burst;
  let atMs = 0;
  return (nowMs) => {
    level = Math.min(burst, level + ((nowMs - atMs) * perSecond) / 1000);
    atMs = nowMs;
    if (level < 1) return refusal(((1 - level) / perSecond) * 1000, says);
    level -= 1;
    return null;
  };
}

/** Refuses a share, whatever comes. */
export function moody(share: number, random: () => number): Admission {
  return () => (random() < share ? { retryAfterMs: null } : null);
}

function refusal(waitMs: number, says: SaysRetryAfter): { retryAfterMs: number | null } {
  if (says === 'not') return { retryAfterMs: null };
  return { retryAfterMs: says === 'exactly' ? waitMs : Math.ceil(waitMs / 1000) * 1000 };
}

export interface Simulation {
  readonly limiter: Limiter;
  readonly admit: Admission;
  readonly latencyMs: (nowMs: number) => number;
  /** What a refusal takes to come back. */
  readonly refusalMs: number;
  readonly random: () => number;
  /** Requests to be answered; or until `untilMs`. */
  readonly requests: number;
  readonly untilMs?: number;
  readonly onAnswer?: () => void;
}

export interface Outcome {
  readonly seconds: number;
  readonly perSecond: number;
  readonly refusedShare: number;
  /** Answers in each second. */
  readonly bySecond: readonly number[];
  readonly mostInFlight: number;
}

const ON_THE_WAY_MS = 0.5;

export function simulate(simulation: Simulation): Outcome {
  const { limiter, admit, latencyMs, refusalMs, random, requests, untilMs = Infinity } = simulation;
  const agenda = new Agenda();
  const again: number[] = [];
  const bySecond: number[] = [];
  let [fresh, answered, sent, refused, mostInFlight] = [requests, 0, 0, 0, 0];
  let timerIsSet = false;

  const send = (attempt: number): void => {
    const sentMs = agenda.nowMs;
    const number = limiter.send(sentMs, 0);
    sent += 1;
    mostInFlight = Math.max(mostInFlight, limiter.inFlight);
    agenda.at(sentMs + ON_THE_WAY_MS, () => {
      const refusalOf = admit(agenda.nowMs);
      if (refusalOf === null) {
        agenda.at(sentMs + latencyMs(sentMs) * (0.9 + 0.2 * random()), () => {
          limiter.accepted(agenda.nowMs, number, 0);
          answered += 1;
          simulation.onAnswer?.();
          const second = Math.floor(agenda.nowMs / 1000);
          bySecond[second] = (bySecond[second] ?? 0) + 1;
          pump();
        });
        return;
      }
      refused += 1;
      agenda.at(sentMs + refusalMs, () => {
        limiter.refused(agenda.nowMs, number, refusalOf.retryAfterMs, 0);
        const backoffMs = Math.min(4000, Math.max(50, latencyMs(sentMs)) * 2 ** (attempt - 1));
        const waitMs = refusalOf.retryAfterMs ?? backoffMs * (0.5 + 0.5 * random());
        agenda.at(agenda.nowMs + waitMs, () => {
          again.push(attempt + 1);
          pump();
        });
        pump();
      });
    });
  };
  const pump = (): void => {
    while (again.length > 0 || fresh > 0) {
      const waitMs = limiter.waitMs(agenda.nowMs);
      if (waitMs > 0) {
        if (waitMs === Infinity || timerIsSet) return;
        timerIsSet = true;
        agenda.at(Math.ceil(agenda.nowMs + waitMs + random()), () => {
          timerIsSet = false;
          pump();
        });
        return;
      }
      const attempt = again.shift();
      if (attempt === undefined) fresh -= 1;
      send(attempt ?? 1);
    }
  };
  pump();
  for (let more = true; more && agenda.nowMs < untilMs;) more = agenda.next() && answered < requests;
  const seconds = agenda.nowMs / 1000;
  return { seconds, perSecond: answered / seconds, refusedShare: refused / sent, bySecond, mostInFlight };
}

/** What happens next, by time: a binary heap. */
class Agenda {
  nowMs = 0;
  readonly #heap: { readonly atMs: number; readonly happen: () => void }[] = [];

  at(atMs: number, happen: () => void): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push({ atMs, happen });
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= atMs) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = { atMs, happen };
  }

  next(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return false;
    if (heap.length > 0) {
      let place = 0;
      for (;;) {
        const left = heap[2 * place + 1];
        const right = heap[2 * place + 2];
        const down = right !== undefined && left !== undefined && right.atMs < left.atMs ? 2 : 1;
        const below = down === 2 ? right : left;
        if (below === undefined || below.atMs >= last.atMs) break;
        heap[place] = below;
        place = 2 * place + down;
      }
      heap[place] = last;
    }
    this.nowMs = first.atMs;
    first.happen();
    return true;
  }
}
