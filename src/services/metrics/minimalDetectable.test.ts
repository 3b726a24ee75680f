import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultBootstrap } from './bootstrap.ts';
import { minimalDetectable } from './minimalDetectable.ts';
import { pairedDifference } from './pairedDifference.ts';
import { seededRandom, type Random } from './random.ts';
import { studentTQuantile } from './studentT.ts';
import type { TaskTally } from './tally.ts';
import { tallyOf } from './testVerdicts.ts';

describe('studentTQuantile', () => {
  // Abramowitz and Stegun, table 26.10.
  it.each([
    [0.975, 1, 12.706],
    [0.975, 10, 2.228],
    [0.95, 5, 2.015],
    [0.995, 30, 2.75],
    [0.975, 120, 1.98],
  ])('at %d with %i degrees of freedom is %d', (probability, freedom, t) => {
    expect(studentTQuantile(probability, freedom)).toBeCloseTo(t, 3);
  });

  it('has its closed forms, and the normal distribution as limit', () => {
    expect(studentTQuantile(0.8, 1)).toBeCloseTo(Math.tan(Math.PI * 0.3), 10);
    expect(studentTQuantile(0.8, 2)).toBeCloseTo(0.6 / Math.sqrt(2 * 0.8 * 0.2), 10);
    expect(studentTQuantile(0.975, 1e6)).toBeCloseTo(1.959966, 5);
  });

  it('refuses what it cannot give', () => {
    expect(() => studentTQuantile(0.5, 3)).toThrow(RangeError);
    expect(() => studentTQuantile(0.9, 0)).toThrow(RangeError);
  });
});

const tally = (letters: readonly string[]) =>
  tallyOf(letters.map((samples, i) => ({ taskId: `t${i}`, samples })));

describe('minimalDetectable', () => {
  it('is (t + t)·SE where the models already differ', () => {
    // Ten scenarios of 20 samples: the differences are 0.1, …, 1.0 with mean 0.55 and Σ(S − D)² = 0.825.
    const base = tally(Array.from({ length: 10 }, () => 'n'.repeat(20)));
    const tuned = tally(Array.from({ length: 10 }, (_, i) => 'b'.repeat(2 * i + 2) + 'n'.repeat(18 - 2 * i)));
    const byHand = (2.2621572 + 0.8834039) * Math.sqrt(((10 / 9) * 0.825) / 100);
    expect(minimalDetectable(base, tuned, 'funcSec', 1)).toBeCloseTo(byHand, 6);
  });

  it('is nothing where the test could never be significant', () => {
    const five = tally(['n', 'n', 'n', 'n', 'n']);
    expect(minimalDetectable(five, tally(['b', 'b', 'b', 'b', 'b']), 'funcSec', 1)).toBeNull();
  });

  it('is nothing where not even all against none would be found', () => {
    const wild = ['b', 'b', 'b', 'n', 'n', 'n'];
    expect(minimalDetectable(tally(wild), tally([...wild].reverse()), 'funcSec', 1)).toBeNull();
  });

  it('shows eleven tasks as weak as they are', () => {
    const rest = Array.from({ length: 10 }, () => 'n');
    const greedy = minimalDetectable(tally(['n', ...rest]), tally(['b', ...rest]), 'funcSec', 1) ?? 0;
    // Six of eleven must turn, four times in five: P(X ≥ 6) = 0.8 for X binomial (11, 0.6198).
    expect(greedy).toBeGreaterThan(0.6);
    expect(greedy).toBeLessThan(0.65);
    const same = tally(Array.from({ length: 119 }, () => 'n'));
    expect(minimalDetectable(same, same, 'funcSec', 1)).toBeGreaterThan(0.05);
  });

  it('does not mind which model is the base', () => {
    const letters = fc.array(fc.stringMatching(/^[bfsn]{4}$/), { minLength: 6, maxLength: 30 });
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const count = Math.min(a.length, b.length);
        const [base, tuned] = [tally(a.slice(0, count)), tally(b.slice(0, count))];
        const smallest = minimalDetectable(base, tuned, 'funcSec', 1);
        expect(minimalDetectable(tuned, base, 'funcSec', 1)).toBe(smallest);
        expect(smallest ?? 1).toBeGreaterThan(0);
        expect(smallest ?? 1).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('falls with more samples and more scenarios, not with more tasks of the same scenarios', () => {
    const drawn = (design: Partial<Study>) => meanSmallest({ ...study, ...design }, 10);
    expect(drawn({ samples: 40 })).toBeLessThan(drawn({}));
    expect(drawn({ scenarios: 60 })).toBeLessThan(0.8 * drawn({}));
  });

  it.each([
    ['answers that improve here and there', {}],
    ['effects that differ between scenarios', { spread: 0.15 }],
    ['few scenarios', { scenarios: 11, tasksEach: 1 }],
    ['eleven single answers', { scenarios: 11, tasksEach: 1, samples: 1 }],
    ['single answers', { scenarios: 60, tasksEach: 2, samples: 1 }],
    [
      'eleven single answers that hardly change by themselves',
      { scenarios: 11, tasksEach: 1, samples: 1, kept: true },
    ],
  ] satisfies [string, Partial<Study>][])('is found four times in five: %s', (_, design) => {
    const planned = { ...study, ...design };
    const smallest = meanSmallest(planned, 40);
    const random = seededRandom(99);
    let found = 0;
    for (let i = 0; i < 250; i += 1) {
      const [base, tuned] = draw({ ...planned, effect: smallest }, random);
      const { pValue, low } = pairedDifference(base, tuned, 'funcSec', {
        ...defaultBootstrap,
        resamples: 400,
        k: 1,
      });
      if (pValue < 0.05 && low > 0) found += 1;
    }
    // Monte Carlo error of 250 studies: 0.025.
    expect(found / 250).toBeGreaterThan(0.7);
    expect(found / 250).toBeLessThan(0.9);
  });
});

interface Study {
  readonly scenarios: number;
  readonly tasksEach: number;
  readonly samples: number;
  /** True difference: the mean over scenarios. */
  readonly effect: number;
  /** How far a scenario's own effect lies from it, at most. */
  readonly spread: number;
  /** A tuned model that keeps the base's answer save where it improves it; else both answer independently. */
  readonly kept: boolean;
}
const study: Study = { scenarios: 25, tasksEach: 3, samples: 10, effect: 0, spread: 0, kept: false };

/** Two models; a scenario has its own difficulty and its own effect. */
function draw(design: Study, random: Random): [TaskTally[], TaskTally[]] {
  const [base, tuned]: [TaskTally[], TaskTally[]] = [[], []];
  for (let scenario = 0; scenario < design.scenarios; scenario += 1) {
    const chance = 0.1 + 0.3 * random();
    const effect = design.effect + design.spread * (2 * random() - 1);
    for (let task = 0; task < design.tasksEach; task += 1) {
      let [before, after] = [0, 0];
      for (let sample = 0; sample < design.samples; sample += 1) {
        const solved = random() < chance;
        const again = design.kept ? solved || random() < effect / (1 - chance) : random() < chance + effect;
        before += Number(solved);
        after += Number(again);
      }
      const names = { taskId: `t${scenario}.${task}`, scenario: `s${scenario}` };
      base.push(tallyWith(names, design.samples, before));
      tuned.push(tallyWith(names, design.samples, after));
    }
  }
  return [base, tuned];
}

function tallyWith(
  names: Pick<TaskTally, 'taskId' | 'scenario'>,
  samples: number,
  successes: number,
): TaskTally {
  return {
    ...names,
    language: 'python',
    cwes: ['CWE-89'],
    samples,
    func: successes,
    secure: successes,
    funcSec: successes,
    insecure: 0,
    bestCaseFuncSec: successes,
    unknown: 0,
    missing: 0,
  };
}

/** What studies without a true difference are told on average. */
function meanSmallest(design: Study, studies: number): number {
  const random = seededRandom(7);
  let sum = 0;
  for (let i = 0; i < studies; i += 1) {
    const [base, tuned] = draw({ ...design, effect: 0 }, random);
    sum += minimalDetectable(base, tuned, 'funcSec', 1) ?? 1;
  }
  return sum / studies;
}
