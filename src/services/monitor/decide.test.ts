import { describe, expect, it } from 'vitest';
import { reevaluateInputSchema } from '../../contract/workflows.ts';
import { decide, type DecisionPlan, type Night } from './decide.ts';
import { alphaOf } from './judge.ts';
import { testNight } from './testNights.ts';

const usual = [3, 5, 5, 6, 7, 4, 5, 5, 6, 4];
const bad = [0, 1, 1, 0, 2, 0, 1, 1, 0, 1];
const good = [9, 10, 10, 10, 9, 10, 9, 10, 10, 10];
/** One point of ten lower, on every task. */
const slightly = usual.map((successes) => successes - 2);

const plan: DecisionPlan = {
  baseline: { nights: 3 },
  monitor: { falseAlarmRate: 0.05, horizonNights: 365, windowNights: 7 },
  benchmarks: 1,
};

/** The decisions of nights one after another, each beside those before it. */
function decisionsOf(nights: readonly Night[], under: DecisionPlan = plan) {
  return nights.map((night, index) => decide(nights.slice(0, index), night, under));
}

const statesOf = (nights: readonly Night[], under: DecisionPlan = plan): string[] =>
  decisionsOf(nights, under).map(({ state }) => state);

describe('decide', () => {
  it('collects the baseline first, then finds a clear drop the same night and says so', () => {
    const nights = [usual, usual, usual, usual, bad].map((counts, day) => testNight(day, counts));
    const decisions = decisionsOf(nights);
    expect(decisions.map(({ state }) => state)).toEqual([
      'collecting',
      'collecting',
      'collecting',
      'steady',
      'regression',
    ]);
    const last = decisions.at(-1);
    expect(last?.baseline).toMatchObject({ nights: 3, score: { value: 0.5, n: 300 } });
    expect(last?.looks.map(({ name, nights: pooled }) => [name, pooled])).toEqual([
      ['tonight lower', 1],
      ['window lower', 2],
      ['tonight higher', 1],
    ]);
    expect(last?.sentences[0]).toMatch(
      /^suite: func-and-secure fell to 7\.0 % tonight, −43\.0 points from 50\.0 % of the baseline \(3 nights, 300 samples\); p = \S+e-\d+, at most 4\.6e-5 is beyond chance\.$/,
    );
  });

  it('goes on saying so, with the baseline as it was', () => {
    const nights = [usual, usual, usual, bad, bad, bad, bad, usual].map((counts, day) =>
      testNight(day, counts),
    );
    const decisions = decisionsOf(nights);
    expect(decisions.slice(3, 7).map(({ state }) => state)).toEqual(Array(4).fill('regression'));
    expect(decisions.at(-1)?.baseline.score.value).toBe(0.5);
    // The last nights together are still lower, though tonight is not.
    expect(decisions.at(-1)?.state).toBe('drift');
  });

  it('finds what sinks too little for one night over the nights together', () => {
    const nights = [usual, usual, usual, ...Array(7).fill(slightly)].map((counts: number[], day) =>
      testNight(day, counts),
    );
    const states = statesOf(nights);
    expect(states).not.toContain('regression');
    expect(states.at(-1)).toBe('drift');
  });

  it('tells a rise apart from a regression', () => {
    const nights = [usual, usual, usual, good].map((counts, day) => testNight(day, counts));
    expect(statesOf(nights).at(-1)).toBe('improved');
  });

  it('begins a new baseline where what is asked has changed, and says so', () => {
    const identity = 'b'.repeat(64);
    const nights = [
      ...[0, 1, 2, 3].map((day) => testNight(day, usual)),
      ...[4, 5, 6, 7].map((day) => testNight(day, bad, { identity })),
    ];
    const decisions = decisionsOf(nights);
    expect(decisions.map(({ state }) => state).slice(4)).toEqual([
      'collecting',
      'collecting',
      'collecting',
      'steady',
    ]);
    expect(decisions[4]?.sentences.join(' ')).toContain('a new baseline begins tonight');
    expect(decisions[5]?.sentences.join(' ')).not.toContain('a new baseline begins');
    expect(decisions[7]?.baseline.score.value).toBeCloseTo(0.07);
  });

  it('leaves out nights before baseline.since: an accepted change becomes the baseline', () => {
    const nights = [usual, usual, usual, bad, bad, bad, bad].map((counts, day) => testNight(day, counts));
    const since = nights[3]?.at ?? '';
    const accepted = { ...plan, baseline: { nights: 3, since } };
    expect(decide(nights.slice(0, 6), testNight(6, bad), accepted).state).toBe('steady');
    expect(decide(nights.slice(0, 6), testNight(6, usual), accepted).state).toBe('improved');
  });

  it('compares a new version of the model with the one before, on its first night', () => {
    const nights = [
      testNight(0, usual, { model: 'registry:coder@1' }),
      testNight(1, usual, { model: 'registry:coder@1', samplesSha256: '0'.repeat(64) }),
      testNight(2, bad, { model: 'registry:coder@2' }),
    ];
    const decisions = decisionsOf(nights);
    expect(decisions.map(({ state }) => state)).toEqual(['collecting', 'collecting', 'regression']);
    // Twice the same samples are one set of samples.
    expect(decisions[2]?.baseline).toMatchObject({ nights: 2, score: { n: 100 } });
  });

  it('has nothing to look at where the samples are the baseline’s own', () => {
    const same = { samplesSha256: '0'.repeat(64) };
    const nights = [0, 1, 2, 3, 4].map((day) => testNight(day, usual, same));
    const last = decisionsOf(nights).at(-1);
    expect(last).toMatchObject({ state: 'steady', looks: [] });
    expect(last?.sentences[0]).toContain('no sample is new');
  });

  it('says how many samples could not be graded', () => {
    const sentences = decide([], testNight(0, usual, { unknown: 4 }), plan).sentences.join(' ');
    expect(sentences).toContain('4 samples could not be graded and count as failed');
  });

  it('takes another number of samples than the baseline had', () => {
    const more = testNight(3, usual);
    const tasks = more.tasks.map((task) => ({ ...task, samples: 40, funcSec: (task.funcSec ?? 0) * 4 }));
    const nights = [0, 1, 2].map((day) => testNight(day, usual));
    expect(decide(nights, { ...more, tasks }, plan).state).toBe('steady');
  });

  it('refuses nights that lack a task, since then the identity is wrong', () => {
    const nights = [0, 1, 2].map((day) => testNight(day, usual));
    expect(() => decide(nights, testNight(3, [...usual, 5]), plan)).toThrow(/has no funcSec of task-10/);
  });
});

describe('alphaOf', () => {
  it('shares the stated rate out over looks, benchmarks and nights', () => {
    expect(alphaOf(plan)).toBeCloseTo(0.05 / (3 * 365), 15);
    expect(alphaOf({ ...plan, benchmarks: 2 })).toBeCloseTo(0.05 / (3 * 2 * 365), 15);
    const alone = { ...plan.monitor, windowNights: 1 };
    expect(alphaOf({ ...plan, monitor: alone })).toBeCloseTo(0.05 / (2 * 365), 15);
  });
});

describe('reevaluateInputSchema', () => {
  const input = { version: 1, series: 'nightly', evaluate: {} };
  it('follows a name of the registry, which no other workflow may', () => {
    const parsed = reevaluateInputSchema.parse({ ...input, model: { uri: 'registry:coder' } });
    expect(parsed).toMatchObject({
      model: { uri: 'registry:coder' },
      baseline: { nights: 3 },
      monitor: { falseAlarmRate: 0.05, horizonNights: 365, windowNights: 7 },
      cadenceHours: 24,
      notify: [],
    });
  });
  it.each([
    ['neither model nor endpoint', input],
    ['a branch of the hub', { ...input, model: { uri: 'hf:owner/name' } }],
    [
      'an address instead of its variable',
      { ...input, model: { uri: 'embedded:tiny' }, notify: [{ urlEnv: 'https://example.org' }] },
    ],
    ['money for weights', { ...input, model: { uri: 'embedded:tiny' }, budget: { capUsd: 1 } }],
  ])('refuses %s', (_, given) => {
    expect(reevaluateInputSchema.safeParse(given).success).toBe(false);
  });
});
