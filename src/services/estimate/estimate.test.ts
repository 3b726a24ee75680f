import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointSchema } from '../../contract/recipe.ts';
import { Draw } from './draw.ts';
import { add, predictRest, predictRestBySize, rangeOf, sum, timesEach } from './prediction.ts';
import { once, projectStage, type RowCost, type StageToProject } from './projectStage.ts';
import { renderEstimate } from './renderEstimate.ts';
import { totalEstimate } from './total.ts';

/** Numbers in [0, 1), the same ones each time (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a prediction', () => {
  test('of the rest is exact when nothing is left, and grows less sure with what is', () => {
    expect(predictRest([1, 2, 3], 0)).toEqual({ expected: 0, variance: 0 });
    // s² = 1: 10² / 3 + 10.
    expect(predictRest([1, 2, 3], 10)).toEqual({ expected: 20, variance: 100 / 3 + 10 });
    // One value says nothing of its spread: s² = 2².
    expect(predictRest([2], 3)).toEqual({ expected: 6, variance: 4 * (9 + 3) });
  });

  test('by size has no error when value goes with size', () => {
    const pairs = [1, 2, 3].map((size) => ({ size, value: 5 * size }));
    const { expected, variance } = predictRestBySize(pairs, { rows: 4, size: 10 });
    expect(expected).toBeCloseTo(50, 9);
    expect(variance).toBeCloseTo(0, 9);
  });

  test('of a count times what each takes adds both errors', () => {
    expect(timesEach({ expected: 10, variance: 0 }, [1, 3])).toEqual({ expected: 20, variance: 2 * 60 });
    expect(timesEach({ expected: 10, variance: 4 }, [2, 2])).toEqual({ expected: 20, variance: 16 });
    expect(add({ expected: 1, variance: 2 }, { expected: 3, variance: 4 })).toEqual({
      expected: 4,
      variance: 6,
    });
  });

  test('holds the truth in its 95 % range about 95 times of 100', () => {
    const next = random(7);
    let held = 0;
    const trials = 2000;
    for (let trial = 0; trial < trials; trial += 1) {
      // Rows of which a third are kept; kept ones cost something skewed.
      const rows = Array.from({ length: 400 }, () => (next() < 0.33 ? 1 + 3 * next() ** 2 : 0));
      const drawn = rows.slice(0, 80);
      const kept = drawn.filter((cost) => cost > 0);
      const count = predictRest(
        drawn.map((cost) => (cost > 0 ? 1 : 0)),
        320,
      );
      const { low, high } = rangeOf(timesEach(count, kept), { atMost: 1e9 });
      const truth = sum(rows.slice(80));
      if (low <= truth && truth <= high) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.93);
    expect(held / trials).toBeLessThan(0.975);
  });
});

test('a draw is a sample of the size asked for, the same whatever the order, and the smaller is part of the larger', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 200 }), (size, count) => {
      const rows = Array.from({ length: count }, (_, index) => ({ index, id: `row ${index}` }));
      const drawnBy = (order: typeof rows, of: number) => {
        const draw = new Draw<(typeof rows)[number]>(of);
        for (const row of order) draw.offer(row);
        return draw.drawn();
      };
      const drawn = drawnBy(rows, size);
      expect(drawn).toHaveLength(Math.min(size, count));
      expect(drawnBy(rows.toReversed(), size)).toEqual(drawn);
      expect(drawnBy(rows, size + 5).slice(0, size)).toEqual(drawn);
    }),
  );
});

const price = { prompt: 1, completion: 10 };
const endpoint = endpointSchema.parse({
  model: 'm',
  baseUrl: 'http://h/v1',
  concurrency: 4,
  sampling: { maxTokens: 1000 },
});
const answer = (promptBytes: number, promptTokens: number, completionTokens: number): RowCost => ({
  promptBytes,
  usage: { promptTokens, completionTokens, reasoningTokens: 0 },
  requests: 1,
  latencyMs: 2000,
});
const stage = (patch: Partial<StageToProject> = {}): StageToProject => ({
  stage: 'filter',
  endpoint,
  price: { price, source: 'recipe' },
  worstPrice: price,
  rows: 110,
  known: 0,
  sampled: 10,
  rest: {
    rows: { expected: 100, variance: 0 },
    isAssumed: false,
    promptBytes: 40_000,
    promptTokensAtMost: 40_000,
    requestsAtMost: 100,
  },
  answers: [answer(400, 100, 40), answer(800, 200, 60)],
  multiple: once,
  ...patch,
});

describe('a stage', () => {
  test('is what is left times what the sample came to', () => {
    const { estimate, seconds } = projectStage(stage());
    expect(estimate).toMatchObject({ requests: 100, promptTokens: 10_000, completionTokens: 5000 });
    expect(estimate.costUsd).toBeCloseTo((10_000 + 50_000) / 1e6, 9);
    expect(estimate.worstUsd).toBeCloseTo((40_000 + 1_000_000) / 1e6, 9);
    expect(estimate.lowUsd).toBeLessThan(estimate.costUsd);
    expect(estimate.highUsd).toBeGreaterThan(estimate.costUsd);
    expect(seconds).toBeCloseTo((100 * 2) / 4, 9);
  });

  test('takes as long as the recipe’s pace makes it', () => {
    const slow = { ...endpoint, limits: { requestsPerMinute: 10 } };
    expect(projectStage(stage({ endpoint: slow })).seconds).toBeCloseTo(600, 9);
  });

  test('without a sample assumes answers of half maxTokens, and anything up to the worst case', () => {
    const { estimate, variance } = projectStage(stage({ answers: [], sampled: 0 }));
    expect(estimate).toMatchObject({ promptTokens: 10_000, completionTokens: 50_000, lowUsd: 0 });
    expect(estimate.highUsd).toBe(estimate.worstUsd);
    expect(variance).toBeNull();
  });

  test('with everything known or sampled costs nothing more', () => {
    const rest = {
      rows: { expected: 0, variance: 0 },
      isAssumed: false,
      promptBytes: 0,
      promptTokensAtMost: 0,
      requestsAtMost: 0,
    };
    expect(projectStage(stage({ rest })).estimate).toMatchObject({
      costUsd: 0,
      lowUsd: 0,
      highUsd: 0,
      worstUsd: 0,
    });
  });

  test('counts all answers that a row took', () => {
    const twice = { ...answer(400, 200, 80), requests: 2, latencyMs: 4000 };
    const { estimate, seconds } = projectStage(stage({ answers: [answer(400, 100, 40), twice] }));
    expect(estimate).toMatchObject({ requests: 150, completionTokens: 6000 });
    expect(seconds).toBeCloseTo((150 * 2) / 4, 9);
  });

  test('multiplies by what a row takes besides its first answer', () => {
    const multiple = { requests: 2, promptTokens: 3, completionTokens: 1.5, costUsd: 1.75 };
    const plain = projectStage(stage()).estimate;
    const { estimate } = projectStage(stage({ multiple }));
    expect(estimate.requests).toBe(200);
    expect(estimate.costUsd).toBeCloseTo(1.75 * plain.costUsd, 12);
  });
});

test('a total adds money and errors, and the table tells both', () => {
  const one = projectStage(stage());
  const total = totalEstimate([one, one], { paidUsd: 0.01, notes: ['a note'] });
  expect(total.costUsd).toBeCloseTo(2 * one.estimate.costUsd, 12);
  const reach = (low: number, expected: number) => expected - low;
  expect(reach(total.lowUsd, total.costUsd)).toBeCloseTo(
    Math.SQRT2 * reach(one.estimate.lowUsd, one.estimate.costUsd),
    9,
  );
  expect(renderEstimate(total)).toMatch(/about \$0\.12 .*Together: about \$0\.13\./s);
  expect(renderEstimate(total)).toContain('note: a note');
  const unsure = projectStage(stage({ answers: [], sampled: 0 }));
  expect(totalEstimate([one, unsure], { paidUsd: 0, notes: [] }).highUsd).toBeGreaterThan(
    unsure.estimate.worstUsd,
  );
});
