import { describe, expect, it } from 'vitest';
import { summarySchema, type BenchmarkSummary, type Summary } from '../../contract/summary.ts';
import { buildSummary, type EvaluatedBenchmark, type SummaryInput } from './buildSummary.ts';
import { testRun } from './testRun.ts';

function part(summary: Summary, name: string): BenchmarkSummary {
  const found = summary.benchmarks.find((benchmark) => benchmark.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

function inputPart({ benchmarks }: SummaryInput, name: string): EvaluatedBenchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe('buildSummary', () => {
  const input = testRun();
  const summary = buildSummary(input);
  const suite = inputPart(input, 'suite');

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
    expect(summary.costUsd).toBeCloseTo(
      input.stages.reduce((sum, { costUsd }) => sum + costUsd, 0),
      12,
    );
    expect(summary.labels).toEqual(input.labels);
  });

  it('is the same each time', () => {
    expect(buildSummary(testRun())).toEqual(summary);
  });

  it('is about the first benchmark in its headline, and tells all', () => {
    expect(summary.benchmarks.map(({ name }) => name)).toEqual(['suite', 'cweval', 'guard']);
    expect(summary.models).toEqual(part(summary, 'suite').models);
    expect(summary.difference).toEqual(part(summary, 'suite').difference);
    const cweval = inputPart(input, 'cweval');
    expect(part(summary, 'cweval')).toMatchObject({
      references: cweval.references,
      versions: cweval.versions,
      excluded: cweval.excluded,
    });
  });

  it('agrees with plain counting of the first variant for one sample a try', () => {
    const first = (suite.tuned ?? []).filter(({ variant }) => variant === suite.variants[0]);
    const both = first.filter(({ functional, secure, unknown }) => functional && secure && !unknown);
    const { base, tuned } = summary.models;
    expect(tuned?.funcSec.value).toBeCloseTo(both.length / 144, 12);
    expect(summary.difference?.funcSec.value).toBeCloseTo(
      (tuned?.funcSec.value ?? 0) - base.funcSec.value,
      12,
    );
    expect(tuned?.truncated).toBe(first.filter(({ truncated }) => truncated).length);
    expect(tuned?.retried).toBe(first.filter(({ attempts }) => attempts > 1).length);
    expect(tuned?.reasons['sandboxFailed']).toBe(first.filter(({ unknown }) => unknown).length);
    expect(Object.values(tuned?.reasons ?? {}).reduce((sum, count) => sum + count, 0)).toBe(144);
  });

  it('tells every variant, and further tries', () => {
    const { base } = summary.models;
    expect(base.perVariant.map(({ name, samples }) => [name, samples])).toEqual([
      ['none', 144],
      ['specific', 144],
    ]);
    expect(base.passAtK.map(({ k }) => k)).toEqual([1, 5, 8]);
    expect(base.passAtK[0]?.funcSec).toEqual(base.funcSec);
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

  it('says in words what is noise, what is not, and how much could have been found', () => {
    const { conclusions = [], heldOut, minimalDetectable } = summary.difference ?? {};
    expect(conclusions[0]).toMatch(/^func-and-secure rose by \d+\.\d points at n = 144 samples a model/);
    // An interval without 0 would not be enough: five scenarios cannot reach p < 0.05.
    expect(heldOut?.funcSec.pValue).toBeGreaterThanOrEqual(2 ** -4);
    expect(conclusions[1]).toContain(
      'not distinguishable from noise at n = 40 samples a model (5 tasks of 5 scenarios)',
    );
    expect(minimalDetectable).toBeGreaterThan(0.05);
    expect(conclusions.at(-1)).toContain(
      `a true difference in func-and-secure must be about ${((minimalDetectable ?? 0) * 100).toFixed(1)} points`,
    );
    expect(summary.difference?.mcnemar).toBeNull();
  });

  it('has both figures of a benchmark that counts otherwise, and of it alone', () => {
    const cweval = part(summary, 'cweval');
    const asked = inputPart(input, 'cweval').base;
    expect(cweval.upstream?.base.n).toBe(asked.filter(({ upstream }) => upstream !== null).length);
    expect(cweval.upstream?.base.func).toBeGreaterThanOrEqual(cweval.models.base.func.value);
    expect(part(summary, 'suite').upstream).toBeNull();
  });

  it('has the analysers’ agreement on functional samples', () => {
    const [bandit] = part(summary, 'suite').agreement.tuned ?? [];
    expect(bandit?.analyser).toBe('bandit');
    const functional = (suite.tuned ?? []).filter(
      ({ functional, unknown, variant }) => functional && !unknown && variant === 'none',
    );
    const { insecureFound = 0, insecureMissed = 0, secureFlagged = 0, secureClean = 0 } = bandit ?? {};
    expect(insecureFound + insecureMissed + secureFlagged + secureClean + (bandit?.noOpinion ?? 0)).toBe(
      functional.length,
    );
    expect(bandit?.kappa).not.toBeNull();
    expect(summary.models.tuned?.esrLike?.n).toBe(144);
  });

  it('speaks of nothing but function where a benchmark measures nothing else', () => {
    const { models, difference, agreement } = part(summary, 'guard');
    expect(models.base.func.n).toBeGreaterThan(0);
    expect(models.base).toMatchObject({
      funcSec: { value: 0, low: 0, high: 1, n: 0 },
      secRatio: null,
      insecure: null,
      seen: null,
      heldOut: null,
      perCwe: [],
      perFamily: [],
      esrLike: null,
    });
    expect(difference).toMatchObject({
      funcSec: { value: 0, low: -1, high: 1, pValue: 1, n: 0 },
      minimalDetectable: null,
      seen: null,
      mcnemar: null,
    });
    expect(difference?.conclusions).toHaveLength(2);
    expect(difference?.conclusions.join()).not.toContain('secure');
    expect(agreement).toEqual({ base: [], tuned: [] });
  });

  it('counts a model whose every sample is missing as all failures', () => {
    const benchmarks = input.benchmarks.map((benchmark) => ({ ...benchmark, tuned: [] }));
    const nothing = buildSummary({ ...input, benchmarks });
    expect(nothing.models.tuned).toMatchObject({
      missing: 144,
      func: { value: 0, low: 0, n: 144 },
      secRatio: null,
    });
    expect(nothing.models.tuned?.exactIntervals).toContain('funcSec');
  });

  it('adds McNemar’s test where both models gave one greedy answer', () => {
    const one = { ...suite, samplesPerTask: 1, variants: ['none'] as const };
    const only = (rows: EvaluatedBenchmark['base'] = []) =>
      rows.filter(({ sample, variant }) => sample === 0 && variant === 'none');
    const benchmarks = [{ ...one, base: only(suite.base), tuned: only(suite.tuned) }];
    const at = (temperature: number) => {
      const { base, tuned = base } = input.models;
      const cold = { ...base.sampling, temperature };
      return buildSummary({
        ...input,
        models: { base: { ...base, sampling: cold }, tuned: { ...tuned, sampling: cold } },
        benchmarks,
      }).difference;
    };
    const { mcnemar, conclusions } = at(0) ?? {};
    const { onlyBase = 0, onlyTuned = 0, both = 0, neither = 0 } = mcnemar ?? {};
    expect(onlyBase + onlyTuned + both + neither).toBe(18);
    expect(conclusions?.at(-1)).toContain('McNemar’s exact p');
    expect(at(0.8)?.mcnemar).toBeNull();
  });

  it('stands for one model alone', () => {
    const single = buildSummary({
      ...input,
      models: { base: input.models.base },
      benchmarks: input.benchmarks.map(({ tuned: _, ...alone }) => alone),
      trainedCwes: null,
      training: null,
    });
    expect(single.models.tuned).toBeUndefined();
    expect(single.difference).toBeNull();
    expect(single.models.base.seen).toBeNull();
    expect(part(single, 'cweval').upstream).not.toHaveProperty('tuned');
  });

  it('refuses a run without a benchmark, and verdicts of a model without a name', () => {
    expect(() => buildSummary({ ...input, benchmarks: [] })).toThrow('at least one benchmark');
    expect(() => buildSummary({ ...input, models: { base: input.models.base } })).toThrow('does not name');
  });

  it('has a formula for every number', () => {
    for (const name of [
      'func@1',
      'secure@1',
      'func-and-secure@1',
      'SecRatio',
      'insecure',
      'ESR-like',
      'McNemar',
    ]) {
      expect(summary.formulas).toHaveProperty(name);
    }
  });
});
