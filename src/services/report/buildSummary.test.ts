import { describe, expect, it } from 'vitest';
import { summarySchema } from '../../contract/summary.ts';
import { buildSummary } from './buildSummary.ts';
import { testRun } from './testRun.ts';

describe('buildSummary', () => {
  const input = testRun();
  const summary = buildSummary(input);

  it('holds what the API promises, and survives JSON', () => {
    expect(summarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
    expect(Object.keys(summary.models.base.func).sort()).toEqual(['high', 'low', 'n', 'value']);
    expect(summary.models.base).toMatchObject({
      samples: 144,
      tasks: 18,
      scenarios: 14,
      k: 1,
      benchmark: 'suite',
    });
    expect(summary.costUsd).toBeCloseTo(0.0193, 12);
  });

  it('is the same each time', () => {
    expect(buildSummary(testRun())).toEqual(summary);
  });

  it('agrees with plain counting for one sample a try', () => {
    const both = input.tuned.verdicts.filter(
      ({ functional, secure, unknown }) => functional && secure && !unknown,
    );
    expect(summary.models.tuned?.funcSec.value).toBeCloseTo(both.length / 144, 12);
    const { base, tuned } = summary.models;
    expect(summary.difference?.funcSec.value).toBeCloseTo(
      (tuned?.funcSec.value ?? 0) - base.funcSec.value,
      12,
    );
  });

  it('splits scores and differences by what was trained on', () => {
    const { base } = summary.models;
    expect([base.seen?.tasks, base.heldOut?.tasks]).toEqual([13, 5]);
    expect([summary.difference?.seen?.tasks, summary.difference?.heldOut?.tasks]).toEqual([13, 5]);
    expect(base.perCwe.filter((scores) => scores.seen === false).map(({ cwe }) => cwe)).toEqual([
      'CWE-113',
      'CWE-117',
      'CWE-377',
      'CWE-732',
      'CWE-1236',
    ]);
  });

  it('says in words what is noise and what is not', () => {
    const [primary, heldOut] = summary.difference?.conclusions ?? [];
    expect(primary).toMatch(/^func-and-secure rose by 16\.7 points at n = 144 samples a model/);
    // An interval without 0 is not enough where five scenarios cannot reach p < 0.05.
    expect(summary.difference?.heldOut?.funcSec.low).toBeGreaterThan(0);
    expect(heldOut).toContain(
      'not distinguishable from noise at n = 40 samples a model (5 tasks of 5 scenarios)',
    );
  });

  it('counts a model whose every sample is missing as all failures', () => {
    const nothing = buildSummary({ ...input, tuned: { ...input.tuned, verdicts: [] } });
    expect(nothing.models.tuned).toMatchObject({
      missing: 144,
      func: { value: 0, low: 0, n: 144 },
      secRatio: null,
    });
    expect(nothing.models.tuned?.exactIntervals).toContain('funcSec');
  });

  it('stands for one model alone', () => {
    const { tuned: _, ...alone } = input;
    const single = buildSummary({ ...alone, trainedCwes: null, training: null });
    expect(single.models.tuned).toBeUndefined();
    expect(single.difference).toBeNull();
    expect(single.models.base.seen).toBeNull();
  });
});
