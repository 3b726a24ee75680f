import { describe, expect, it } from 'vitest';
import type { ExperimentSummary } from '../../contract/experimentSummary.ts';
import { tallyVerdicts } from '../metrics/index.ts';
import {
  buildSummary,
  renderExperimentHtml,
  renderExperimentMarkdown,
  type EvaluatedBenchmark,
} from '../report/index.ts';
import { HOSTILE, SHOWN } from '../report/testHostile.ts';
import { testRun } from '../report/testRun.ts';
import { buildExperiment, type ExperimentFacts, type FinishedVariant } from './buildExperiment.ts';
import type { GradedVariant } from './compare.ts';

/** Fewer resamples: these tests are about what is said, not how well intervals cover. */
const bootstrap = { confidence: 0.95, resamples: 500, seed: 1 };

function graded({ name, tasks, samplesPerTask, measures, tuned = [] }: EvaluatedBenchmark): GradedVariant {
  const denominator = { benchmark: name, tasks, samplesPerTask, variants: ['none' as const] };
  const own = tuned.filter(({ variant }) => variant === 'none');
  return {
    tasks,
    samplesPerTask,
    prompt: 'none',
    tallies: tallyVerdicts(denominator, own).get('none') ?? [],
    metric: measures === 'function' ? 'func' : 'funcSec',
    k: 1,
  };
}

/** The test run, with what `change` makes of its verdicts. */
function variant(
  name: string,
  change: (benchmark: EvaluatedBenchmark) => EvaluatedBenchmark,
): FinishedVariant {
  const input = testRun();
  const benchmarks = input.benchmarks.map(change);
  return {
    name,
    workflowId: `mine/${name}`,
    changes: name === 'plain' ? {} : { finetune: { seed: 2 } },
    uri: `s3://secpi/runs/mine~2F${name}/r/summary.json`,
    summary: buildSummary({ ...input, benchmarks, bootstrap }),
    graded: new Map(benchmarks.map((benchmark) => [benchmark.name, graded(benchmark)])),
  };
}

const same = (benchmark: EvaluatedBenchmark): EvaluatedBenchmark => benchmark;
const hopeless = (benchmark: EvaluatedBenchmark): EvaluatedBenchmark => ({
  ...benchmark,
  tuned: (benchmark.tuned ?? []).map((verdict) => ({ ...verdict, functional: false, secure: false })),
});
const failed = {
  name: 'broken',
  workflowId: 'mine/broken',
  changes: {},
  error: 'MODEL_NOT_FOUND: finetune.model.uri: no such folder.',
  costUsd: 2.5,
} satisfies FinishedVariant;

const facts = (
  variants: readonly FinishedVariant[],
  rest: Partial<ExperimentFacts> = {},
): ExperimentSummary =>
  buildExperiment({
    run: {
      workflowId: 'mine',
      runId: 'r',
      experiment: 'mine',
      startedAt: '2026-11-21T06:00:00.000Z',
      finishedAt: '2026-11-21T08:00:00.000Z',
    },
    description: null,
    reference: 'plain',
    variants,
    bootstrap,
    ...rest,
  });

describe('buildExperiment', () => {
  const summary = facts([
    variant('plain', same),
    variant('twin', same),
    variant('hopeless', hopeless),
    failed,
  ]);
  const on = (name: string, benchmark: string) =>
    summary.variants.find((one) => one.name === name)?.benchmarks.find((one) => one.name === benchmark);

  it('compares every variant with the reference, on each benchmark', () => {
    expect(on('plain', 'suite')).toMatchObject({ difference: null, notCompared: null });
    expect(on('twin', 'suite')?.difference).toMatchObject({ value: 0, pValue: 1, adjustedPValue: 1 });
    const { tuned } = on('plain', 'suite') ?? {};
    expect(on('hopeless', 'suite')?.difference?.value).toBeCloseTo(-(tuned?.value ?? 0), 12);
    expect(on('hopeless', 'guard')).toMatchObject({ measure: 'func', tuned: { value: 0 } });
  });

  it('corrects over all that were planned, the failed one included', () => {
    const { pValue = 0, adjustedPValue = 0 } = on('hopeless', 'suite')?.difference ?? {};
    expect(pValue).toBeLessThan(0.05);
    expect(adjustedPValue).toBeCloseTo(3 * pValue, 12);
  });

  it('says in sentences what can be said', () => {
    expect(summary.conclusions[0]).toBe('broken failed; it counts in the correction as planned.');
    expect(summary.conclusions[1]).toMatch(/^twin and plain cannot be told apart: 0\.0 points/);
    expect(summary.conclusions[2]).toMatch(/^hopeless is [\d.]+ points below plain \(.* p by Holm/);
  });

  it('compares nothing where the reference failed', () => {
    const lost = facts([failed, variant('twin', same)], { reference: 'broken' });
    expect(lost.variants[1]?.benchmarks[0]).toMatchObject({ difference: null });
    expect(lost.conclusions).toEqual(['The reference broken failed: nothing is compared.']);
  });

  it('sums what the variants paid, the one that failed too', () => {
    const [first] = summary.variants;
    expect(first?.costUsd).toBeGreaterThan(0);
    expect(summary.costUsd).toBeCloseTo(3 * (first?.costUsd ?? 0) + failed.costUsd, 12);
  });
});

describe('the report of an experiment', () => {
  it('says the same in HTML and Markdown', async () => {
    const summary = facts([variant('plain', same), variant('hopeless', hopeless), failed], {
      description: 'What a lost model looks like.',
    });
    const texts = [await renderExperimentHtml(summary), renderExperimentMarkdown(summary)];
    for (const text of texts)
      for (const word of [
        'What a lost model looks like.',
        'Our suite by family of weaknesses',
        'CWEval',
        'no such folder',
        'hopeless is',
        'p by Holm',
        'mine/hopeless',
        'shared',
      ])
        expect(text).toContain(word);
  });

  it('runs no script, and escapes what users and models say', async () => {
    const summary = facts(
      [variant('plain', same), { ...failed, error: HOSTILE, changes: { [HOSTILE]: HOSTILE } }],
      { description: HOSTILE },
    );
    const page = await renderExperimentHtml(summary);
    expect(page).toContain('script-src &#39;none&#39;');
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain(SHOWN.slice(0, 8).replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
    expect(renderExperimentMarkdown(summary)).not.toMatch(/(?<!\\)<(?:script|img)/);
  });
});
