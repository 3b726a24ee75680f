/** The limiter against addresses of every kind, in simulated time. */
import { describe, expect, test } from 'vitest';
import {
  fixedWindow,
  moody,
  simulate,
  tokenBucket,
  type Admission,
  type SaysRetryAfter,
} from '../../../test/llm/simulatedAddress.ts';
import { seededRandom } from '../metrics/random.ts';
import { Limiter } from './limiter.ts';

const CAP = 300;
const free: Admission = () => null;

function run(
  admit: Admission,
  options: Partial<Parameters<typeof simulate>[0]> & { concurrency?: number } = {},
) {
  const { concurrency = 256, ...rest } = options;
  return simulate({
    limiter: new Limiter({ concurrency }),
    admit,
    latencyMs: () => 50,
    refusalMs: 2,
    random: seededRandom(1),
    requests: 9000,
    ...rest,
  });
}

describe('the start', () => {
  test('doubles from a few in flight to all of them', () => {
    const early = run(free, { untilMs: 100 });
    expect(early.mostInFlight).toBeLessThanOrEqual(32);
    const later = run(free, { untilMs: 1500, latencyMs: () => 200 });
    expect(later.mostInFlight).toBe(256);
  });

  test('needs no answers to grow where they take minutes', () => {
    expect(run(free, { latencyMs: () => 60_000, untilMs: 5_000 }).mostInFlight).toBe(256);
  });

  test('never has more in flight than allowed, and reaches what that bears', () => {
    const outcome = run(free, { concurrency: 20, requests: 4000 });
    expect(outcome.mostInFlight).toBe(20);
    expect(outcome.perSecond).toBeGreaterThan(0.95 * (20 / 0.0505));
  });
});

describe('a cap of 300 requests a second', () => {
  const kinds: [string, (says: SaysRetryAfter) => Admission][] = [
    ['of whole seconds', (says) => fixedWindow(() => CAP, 0, says)],
    ['of whole seconds, begun in the middle of one', (says) => fixedWindow(() => CAP, 620, says)],
    ['with a burst of a second', (says) => tokenBucket(CAP, CAP, says)],
    ['with a small burst', (says) => tokenBucket(CAP, 30, says)],
    ['with no burst', (says) => tokenBucket(CAP, 2, says)],
  ];
  describe.each(kinds)('%s', (_, make) => {
    test.each<[SaysRetryAfter, number]>([
      ['whole seconds', 2],
      ['exactly', 2],
      ['not', 2],
      ['whole seconds', 50],
      ['exactly', 50],
    ])('Retry-After %s, refusals after %i ms: 95 % used, 5 %% refused at most', (says, refusalMs) => {
      const { perSecond, refusedShare } = run(make(says), { refusalMs });
      expect(perSecond).toBeGreaterThan(0.95 * CAP);
      expect(refusedShare).toBeLessThan(0.05);
    });
  });

  test('that rises is found, and one that falls too', () => {
    const rising = run(
      fixedWindow((now) => (now < 10_000 ? 100 : 400), 0, 'whole seconds'),
      {
        requests: 100_000,
        untilMs: 90_000,
      },
    );
    expect(rising.bySecond[9]).toBeLessThanOrEqual(110);
    expect(average(rising.bySecond.slice(70, 90))).toBeGreaterThan(0.95 * 400);
    const falling = run(
      fixedWindow((now) => (now < 10_000 ? 400 : 100), 0, 'whole seconds'),
      {
        requests: 100_000,
        untilMs: 60_000,
      },
    );
    expect(average(falling.bySecond.slice(30, 60))).toBeGreaterThan(0.9 * 100);
    expect(falling.refusedShare).toBeLessThan(0.12);
  });

  test('holds when answers become slower', () => {
    const { bySecond, refusedShare } = run(
      fixedWindow(() => CAP, 0, 'exactly'),
      {
        latencyMs: (now) => (now < 15_000 ? 50 : 700),
        requests: 100_000,
        untilMs: 45_000,
      },
    );
    expect(average(bySecond.slice(20, 45))).toBeGreaterThan(0.93 * CAP);
    expect(refusedShare).toBeLessThan(0.05);
  });
});

test('refusals that have nothing to do with the pace do not hold it down', () => {
  const clean = run(free, { requests: 40_000 });
  const refusing = run(moody(0.1, seededRandom(2)), { requests: 40_000, refusalMs: 50 });
  expect(refusing.refusedShare).toBeCloseTo(0.1, 1);
  expect(refusing.perSecond).toBeGreaterThan(0.7 * clean.perSecond);
  expect(average(refusing.bySecond.slice(7, -2))).toBeGreaterThan(
    0.85 * 0.9 * average(clean.bySecond.slice(2, -2)),
  );
});

test('a limit of requests in flight is found where answers take long', () => {
  let inFlight = 0;
  const admit: Admission = () => {
    if (inFlight >= 8) return { retryAfterMs: 1000 };
    inFlight += 1;
    return null;
  };
  const outcome = run(admit, {
    concurrency: 64,
    latencyMs: () => 20_000,
    refusalMs: 20,
    requests: 80,
    onAnswer: () => (inFlight -= 1),
  });
  expect(outcome.seconds).toBeLessThan(1.3 * (80 / 8) * 20);
  expect(outcome.refusedShare).toBeLessThan(0.75);
});

test('limits of an account are kept from the start', () => {
  const limiter = new Limiter({ concurrency: 64, requestsPerMinute: 600 });
  const { bySecond, refusedShare } = run(
    fixedWindow(() => 30, 0, 'exactly'),
    {
      limiter,
      requests: 300,
      latencyMs: () => 100,
    },
  );
  expect(Math.max(...bySecond)).toBeLessThanOrEqual(21);
  expect(average(bySecond.slice(1, -1))).toBeGreaterThan(9.5);
  expect(refusedShare).toBe(0);
});

test('tokens are estimated before and corrected after', () => {
  const limiter = new Limiter({ concurrency: 64, tokensPerMinute: 60_000 });
  expect(limiter.waitMs(0)).toBe(0);
  const first = limiter.send(0, 5000);
  // 1,000 tokens a second: 4,000 are overdrawn.
  expect(limiter.waitMs(1000)).toBeGreaterThan(2900);
  limiter.accepted(1000, first, 600 - 5000);
  expect(limiter.waitMs(1000)).toBe(0);
});

function average(values: readonly (number | undefined)[]): number {
  let sum = 0;
  for (const value of values) sum += value ?? 0;
  return sum / values.length;
}
