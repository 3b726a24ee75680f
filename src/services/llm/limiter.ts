/**
 * How much an address bears, found out: requests in flight, and a pace in requests per second. Pure: time is handed in.
 *
 * In flight starts small and doubles. A sustained share of refusals (429) sets the pace to what was really accepted;
 * from there it probes upward. Refusals that do not grow rarer at a lower pace are not about the pace: it is set back
 * and their share is borne for a while. How and why: DESIGN.md.
 */
import { Pace } from './pace.ts';
import { Ramp } from './ramp.ts';
import { SendLog, type Tally } from './sendLog.ts';
import { TokenBucket } from './tokenBucket.ts';

export interface LimiterOptions {
  /** Requests in flight, at most. */
  readonly concurrency: number;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

const ROUND_MS = 1_000;
const SEARCH_ROUND_MS = 250;
const ROUND_REQUESTS = 20;
/** So many of the last requests, and this share of them refused: the round need not end before something is done. */
const OVERRUN_REQUESTS = 28;
const TOO_MANY = 0.5;
/** At a known pace the last requests are those of this time: the end of a window is no overrun. */
const OVERRUN_SECONDS = 0.25;
/** A bucket that is empty lets some through between refusals, at least this share; a window that is used up none. */
const TRICKLE = 0.12;
/** Everybody's wait after an overrun, where the address does not say; doubles. */
const FIRST_HOLD_MS = 200;
const LONGEST_HOLD_MS = 5_000;

/** The pace is set this much below what was accepted, so that counting errors do not make refusals. */
const BELOW_ACCEPTED = 0.985;
/** A handful of requests that came through tells the inflow so well. */
const ROUGHLY = 2;
const AFTER_OVERRUN = 0.9;
const LEAST_OF_PROVEN = 0.8;
const LEAST_OF_GUESSED = 0.4;
const LEAST_PER_SECOND = 0.05;
const FIRST_STEP = 0.02;
const SMALLEST_STEP = 0.01;
const LARGEST_STEP = 0.04;
const SEARCH_STEP = 0.25;
const LEAST_SEARCH_STEP = 0.06;
const FIRST_REST_MS = 1_000;
const REST_GROWTH = 3;
const LONGEST_REST_MS = 30_000;
/** A ceiling met again within this share is the same ceiling. */
const SAME_CEILING = 0.05;

/** A share of refusals that is no less than this part of what it was did not shrink. */
const UNSHRUNK = 0.6;
/** Falls that change nothing until their share is borne: one may have been measured while a burst was still paid for. */
const VAIN_FALLS = 2;
/** Where so large a share is borne, the falls before went far: the way back is taken in large steps. */
const WORTH_SEARCHING = 0.08;
const FIRST_TOLERANCE_MS = 30_000;
const LONGEST_TOLERANCE_MS = 10 * 60_000;

/** The requests that are judged together. */
interface Round {
  /** Number of the first after the last decision. */
  readonly first: number;
  /** Those before it that are still in flight. */
  elders: number;
  /** Number of the first that counts; null until what the last decision could not change any more is over. */
  countsFrom: number | null;
  startMs: number | null;
  /** Somebody had to wait for the pace. */
  paced: boolean;
  /** Somebody had to wait for another request to end. */
  crowded: boolean;
}

/** The state before the last fall, to go back to if the fall did not help. */
interface Fall {
  readonly paceBefore: number | null;
  /** Share of refusals above the tolerated one. */
  readonly excess: number;
  /** The pace fell by about that share, so that refusals for its sake must be gone. */
  readonly isTelling: boolean;
  /** Falls before it that changed nothing. */
  readonly vainly: number;
}

export class Limiter {
  readonly #concurrency: number;
  readonly #buckets: { readonly requests: TokenBucket | null; readonly tokens: TokenBucket | null };
  readonly #log = new SendLog();
  readonly #pace = new Pace();
  #inFlight = 0;
  /** Null once it is over. */
  #ramp: Ramp | null;
  /** Requests in flight, at most, after the ramp. */
  #window: number;
  #holdUntilMs = 0;
  #round: Round = { first: 0, elders: 0, countsFrom: 0, startMs: null, paced: false, crowded: false };
  #judgedMs = Number.NEGATIVE_INFINITY;
  #firstRetryMs = Number.POSITIVE_INFINITY;
  #fall: Fall | null = null;
  #overruns = 0;
  #ceiling: number | null = null;
  #step = FIRST_STEP;
  /** While the pace is a rough guess it goes up by this in short rounds, and by half of it after refusals; 0: no more. */
  #searchStep = 0;
  /** A round at this pace was clean. */
  #isProven = false;
  #rest = { ms: FIRST_REST_MS, untilMs: 0 };
  #tolerated = { share: 0, untilMs: 0, ms: FIRST_TOLERANCE_MS };

  constructor({ concurrency, requestsPerMinute, tokensPerMinute }: LimiterOptions) {
    this.#concurrency = concurrency;
    this.#window = concurrency;
    this.#ramp = new Ramp(concurrency);
    this.#buckets = {
      requests: requestsPerMinute === undefined ? null : new TokenBucket(requestsPerMinute),
      tokens: tokensPerMinute === undefined ? null : new TokenBucket(tokensPerMinute),
    };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that may be in flight now. */
  get window(): number {
    return Math.max(1, Math.floor(this.#ramp?.window ?? this.#window));
  }

  /** Requests per second that the address was found to bear; null: no limit was met. */
  get perSecond(): number | null {
    return this.#pace.perSecond;
  }

  get isLimited(): boolean {
    return this.perSecond !== null || (this.#ramp === null && this.window < this.#concurrency);
  }

  /** Milliseconds until a request may go out; 0: now; Infinity: when another one has ended. To be asked only by somebody who wants to send. */
  waitMs(nowMs: number): number {
    if (this.#ramp?.isOver === true) {
      this.#ramp = null;
      // What was sent so far was sent at no steady pace, and does not count.
      this.#round = { ...this.#round, countsFrom: null, startMs: nowMs };
    }
    const { requests, tokens } = this.#buckets;
    const byRate = Math.max(
      this.#holdUntilMs - nowMs,
      requests?.waitMs(nowMs) ?? 0,
      tokens?.waitMs(nowMs) ?? 0,
      this.#ramp?.waitMs(nowMs) ?? 0,
    );
    const byPace = this.#pace.waitMs(nowMs);
    if (this.#inFlight >= this.window) {
      this.#round.crowded = true;
      return Number.POSITIVE_INFINITY;
    }
    if (byPace > byRate) this.#round.paced = true;
    return Math.max(byPace, byRate);
  }

  /** A request goes out. Returns its number, for `ended`. `tokens`: an estimate of what it will use. */
  send(nowMs: number, tokens: number): number {
    this.#round.startMs ??= nowMs;
    this.#inFlight += 1;
    this.#pace.take(nowMs);
    this.#ramp?.send(nowMs);
    this.#buckets.requests?.take(nowMs, 1);
    this.#buckets.tokens?.take(nowMs, tokens);
    return this.#log.add(nowMs);
  }

  /** A request was answered, or failed for reasons that say nothing about limits. `tokensOff`: used less estimated. */
  accepted(nowMs: number, number: number, tokensOff: number): void {
    this.#ended(number);
    if (number >= this.#round.first) this.#overruns = 0;
    this.#buckets.tokens?.take(nowMs, tokensOff);
    this.#ramp?.answered(nowMs);
    this.#judge(nowMs);
  }

  /** A request was told to come later. */
  refused(nowMs: number, number: number, retryAfterMs: number | null, tokens: number): void {
    this.#ended(number);
    this.#buckets.tokens?.take(nowMs, -tokens);
    this.#log.refuse(number, nowMs);
    if (number >= this.#round.first && retryAfterMs !== null)
      this.#firstRetryMs = Math.min(this.#firstRetryMs, nowMs + retryAfterMs);
    this.#judge(nowMs);
  }

  /** A request that got its turn did not go out after all. */
  cancelled(nowMs: number, number: number, tokens: number): void {
    this.#ended(number);
    this.#buckets.tokens?.take(nowMs, -tokens);
  }

  #ended(number: number): void {
    this.#inFlight -= 1;
    if (number < this.#round.first) this.#round.elders -= 1;
  }

  /** The address was away and is back: it is not met with everything at once. */
  restart(nowMs: number): void {
    this.#ramp = new Ramp(this.#concurrency);
    this.#nextRound(nowMs);
  }

  #judge(nowMs: number): void {
    if (nowMs < this.#holdUntilMs || nowMs - this.#judgedMs < 2) return;
    this.#judgedMs = nowMs;
    // What a decision could not change any more tells nothing new.
    if (this.#round.startMs === null || nowMs < this.#round.startMs) return;
    const { first } = this.#round;
    const most = Math.max(OVERRUN_REQUESTS, Math.ceil((this.#pace.perSecond ?? 0) * OVERRUN_SECONDS));
    const recent = this.#log.untilLastRefusal(first, most);
    if (recent.sent >= most && recent.refused >= TOO_MANY * recent.sent) {
      this.#overrun(nowMs, most);
      return;
    }
    if (this.#round.countsFrom === null) {
      this.#round.countsFrom = this.#log.next;
      this.#round.startMs = nowMs;
    }
    const { startMs } = this.#round;
    const roundMs = this.#searchStep > 0 ? SEARCH_ROUND_MS : ROUND_MS;
    if (nowMs - startMs < roundMs + this.#log.lagMs) return;
    const counted = this.#log.tally(nowMs, this.#round.countsFrom);
    if (counted.sent < ROUND_REQUESTS) return;
    if (counted.refused === counted.sent) this.#overrun(nowMs, counted.sent);
    else this.#closeRound(nowMs, counted, nowMs - this.#log.lagMs - startMs);
  }

  /** At least half of the last `most` are refused. */
  #overrun(nowMs: number, most: number): void {
    const since = this.#log.sinceFirstRefusal(this.#round.first, most);
    const passed = since.sent - since.refused;
    // A second may hold parts of two windows of the address, or what it had saved up for a burst.
    const lastSecond = this.#log.acceptedBeforeLastRefusal(ROUND_MS);
    if (passed >= TRICKLE * since.sent) {
      // An empty bucket: what comes through is what flows in.
      const inflow = (passed * 1000) / Math.max(1, since.spanMs);
      const rough = Math.min(lastSecond * ROUGHLY, Math.max(lastSecond / ROUGHLY, inflow));
      this.#fallTo(nowMs, rough, null);
      this.#searchStep = SEARCH_STEP;
      this.#nextRound(nowMs);
      return;
    }
    this.#overruns += 1;
    if (this.#overruns > 1 && this.#round.elders > 0) {
      // Refused although everybody waited and the pace fell, while those in flight go on: their number is limited.
      this.#pace.set(null, nowMs);
      this.#window = this.#round.elders;
    } else if (lastSecond === 0) {
      // Closed altogether: that says nothing about what it bears when it opens.
      this.#ramp = new Ramp(this.#concurrency);
    } else {
      const slower = (this.#pace.perSecond ?? Number.POSITIVE_INFINITY) * AFTER_OVERRUN;
      this.#fallTo(nowMs, Math.min(lastSecond, slower), null);
    }
    const unsaidMs = Math.min(LONGEST_HOLD_MS, FIRST_HOLD_MS * 2 ** (this.#overruns - 1));
    this.#holdUntilMs =
      this.#firstRetryMs === Number.POSITIVE_INFINITY
        ? nowMs + unsaidMs
        : Math.max(nowMs, this.#firstRetryMs);
    this.#nextRound(this.#holdUntilMs);
  }

  #closeRound(nowMs: number, { sent, refused }: Tally, lastedMs: number): void {
    if (nowMs >= this.#tolerated.untilMs) this.#tolerated.share = 0;
    const { share } = this.#tolerated;
    const excess = refused / sent - share;
    // A single refusal, or four standard deviations of the tolerated share, may be chance.
    const significant = refused - share * sent > Math.max(1, 4 * Math.sqrt(share * (1 - share) * sent));
    if (!significant) this.#rise(nowMs);
    else if (this.#fall !== null && this.#fall.vainly + 1 >= VAIN_FALLS && isVain(this.#fall, excess))
      this.#tolerate(nowMs, refused / sent, this.#fall);
    else {
      const sentPerSecond = (sent * 1000) / lastedMs;
      const most = Math.min(sentPerSecond, this.#pace.perSecond ?? Number.POSITIVE_INFINITY);
      this.#fallTo(nowMs, most * (1 - excess), excess, sentPerSecond);
      // What went out before counts against the same window of the address.
      this.#nextRound(nowMs + ROUND_MS);
      return;
    }
    this.#nextRound(nowMs);
  }

  #nextRound(startMs: number): void {
    const first = this.#log.next;
    this.#round = { first, elders: this.#inFlight, countsFrom: null, startMs, paced: false, crowded: false };
    this.#firstRetryMs = Number.POSITIVE_INFINITY;
  }

  /** `excess` and `sentPerSecond` of the round that shows it; null when only a moment does. */
  #fallTo(nowMs: number, acceptedPerSecond: number, excess: number | null, sentPerSecond = 0): void {
    const paceBefore = this.#pace.perSecond;
    const known = this.#ceiling !== null && Math.abs(acceptedPerSecond / this.#ceiling - 1) < SAME_CEILING;
    this.#rest.ms = known ? Math.min(LONGEST_REST_MS, this.#rest.ms * REST_GROWTH) : FIRST_REST_MS;
    this.#rest.untilMs = nowMs + this.#rest.ms;
    this.#step = known ? SMALLEST_STEP : FIRST_STEP;
    // A short round may have met the end of a window: the search goes on, in smaller steps.
    this.#searchStep = excess === null || this.#searchStep < LEAST_SEARCH_STEP ? 0 : this.#searchStep / 2;
    this.#ceiling = acceptedPerSecond;
    this.#ramp = null;
    this.#window = this.#concurrency;
    // A pace that was found before is not given up at once: a moment of refusals is no measure.
    const least = (paceBefore ?? LEAST_PER_SECOND) * (this.#isProven ? LEAST_OF_PROVEN : LEAST_OF_GUESSED);
    this.#isProven = false;
    const pace = Math.max(least, acceptedPerSecond * BELOW_ACCEPTED);
    const last = this.#fall !== null && excess !== null && isVain(this.#fall, excess) ? this.#fall : null;
    this.#fall =
      excess === null
        ? null
        : {
            paceBefore: last === null ? paceBefore : last.paceBefore,
            excess,
            isTelling: pace <= sentPerSecond * (1 - excess * UNSHRUNK),
            vainly: last === null ? 0 : last.vainly + 1,
          };
    this.#pace.set(pace, nowMs);
  }

  #tolerate(nowMs: number, share: number, { paceBefore }: Fall): void {
    const { ms } = this.#tolerated;
    this.#tolerated = { share, untilMs: nowMs + ms, ms: Math.min(LONGEST_TOLERANCE_MS, ms * 2) };
    this.#pace.set(paceBefore, nowMs);
    this.#fall = null;
    this.#searchStep = this.#pace.perSecond !== null && share >= WORTH_SEARCHING ? SEARCH_STEP : 0;
  }

  #rise(nowMs: number): void {
    this.#fall = null;
    this.#isProven = true;
    const { perSecond } = this.#pace;
    const rested = nowMs >= this.#rest.untilMs;
    if (this.#window < this.#concurrency && this.#round.crowded && rested)
      this.#window = Math.min(this.#concurrency, this.#window + Math.max(1, this.#window * this.#step));
    if (perSecond === null) return;
    if (this.#searchStep > 0) this.#pace.set(perSecond * (1 + this.#searchStep), nowMs);
    else if (this.#round.paced && rested) {
      this.#pace.set(perSecond * (1 + this.#step), nowMs);
      this.#step = Math.min(LARGEST_STEP, this.#step * 2);
    } else if (this.#round.crowded && !this.#round.paced) {
      // The number in flight limits more than the pace does.
      this.#pace.set(null, nowMs);
    }
  }
}

/** The share of refusals did not shrink with the pace. One that grew was not measured well the time before. */
function isVain({ excess, isTelling }: Fall, now: number): boolean {
  return isTelling && now > excess * UNSHRUNK && now < excess / UNSHRUNK;
}
