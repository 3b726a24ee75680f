import { describe, expect, it } from 'vitest';
import { evaluateSchema } from '../../contract/recipe.ts';
import type { BenchmarkTaskRow, VerdictRow } from '../../contract/rows.ts';
import type { EvaluatedBenchmark } from '../report/index.ts';
import { identityOf, measureNight } from './measure.ts';

const task = (index: number): BenchmarkTaskRow => ({
  index,
  benchmark: 'suite',
  taskId: `task-${index}`,
  cwe: 'CWE-22',
  cwes: ['CWE-22'],
  scenario: `scenario-${index}`,
  language: 'python',
  entryPoint: null,
  prompts: { none: `Write ${index}.`, generic: `Write ${index} securely.`, specific: `Write ${index} well.` },
  testsSha256: 'd'.repeat(64),
});

const verdict = (of: number, sample: number, over: Partial<VerdictRow> = {}): VerdictRow => ({
  index: of * 4 + sample,
  benchmark: 'suite',
  variant: 'none',
  taskId: `task-${of}`,
  sample,
  cwe: 'CWE-22',
  scenario: `scenario-${of}`,
  language: 'python',
  generated: true,
  extractable: true,
  functional: true,
  secure: true,
  unknown: false,
  truncated: false,
  reason: 'passed',
  failedTests: [],
  foundCwes: [],
  upstream: null,
  attempts: 1,
  opinions: [],
  log: '',
  ...over,
});

const evaluated: EvaluatedBenchmark = {
  name: 'suite',
  measures: 'functionAndSecurity',
  tasks: [task(0), task(1)],
  samplesPerTask: 4,
  variants: ['none', 'generic'],
  base: [
    verdict(0, 0),
    verdict(0, 1, { secure: false }),
    verdict(0, 2, { unknown: true }),
    // The fourth of task 0 is missing.
    verdict(1, 0, { functional: false }),
    verdict(1, 1),
    verdict(1, 2),
    verdict(1, 3),
    // Another variant is no part of the comparison.
    verdict(0, 0, { variant: 'generic', functional: false }),
  ],
  hasUpstreamFigure: false,
  references: null,
  versions: { suite: '1' },
  excluded: [],
};
const evaluate = evaluateSchema.parse({ samplesPerTask: 4, promptVariants: ['none', 'generic'] });
const time = {
  at: '2026-01-01T02:00:01.000Z',
  scheduledAt: '2026-01-01T02:00:00.000Z',
  firstRunId: 'run',
};
const context = { series: 'nightly', workflowId: 'nightly', time, model: 'hosted', evaluate };
const measured = {
  evaluated,
  artifact: 's3://test/artifacts/evaluation/x',
  samplesSha256: 'f'.repeat(64),
  engine: [],
};

describe('measureNight', () => {
  it('counts by task under the first variant; what is missing or unknown has failed', () => {
    const night = measureNight(context, measured);
    expect(night).toMatchObject({
      ...time,
      benchmark: 'suite',
      metric: 'funcSec',
      unknown: 1,
      tasks: [
        { taskId: 'task-0', samples: 4, func: 2, funcSec: 1 },
        { taskId: 'task-1', samples: 4, func: 3, funcSec: 3 },
      ],
      score: { value: 0.5, n: 8 },
    });
  });

  it('counts func where a benchmark has no security tests', () => {
    const night = measureNight(context, { ...measured, evaluated: { ...evaluated, measures: 'function' } });
    expect(night).toMatchObject({ metric: 'func', score: { value: 5 / 8 } });
    expect(night.tasks.map(({ funcSec }) => funcSec)).toEqual([null, null]);
  });
});

describe('identityOf', () => {
  const identity = identityOf(measured, evaluate);
  const changed = (over: Partial<EvaluatedBenchmark>): string =>
    identityOf({ ...measured, evaluated: { ...evaluated, ...over } }, evaluate);

  it.each([
    ['a task less', changed({ tasks: [task(0)] })],
    ['other tests', changed({ tasks: [task(0), { ...task(1), testsSha256: 'e'.repeat(64) }] })],
    ['another harness', changed({ versions: { suite: '2' } })],
    ['another first variant', changed({ variants: ['generic', 'none'] })],
    ['another engine', identityOf({ ...measured, engine: ['vllm'] }, evaluate)],
    [
      'another temperature',
      identityOf(measured, evaluateSchema.parse({ sampling: { temperature: 0.2, maxTokens: 2048 } })),
    ],
    ['another limit', identityOf(measured, evaluateSchema.parse({ limits: { wallSeconds: 5 } }))],
  ])('is another with %s', (_, other) => {
    expect(other).not.toBe(identity);
  });

  it.each([
    ['more samples', changed({ samplesPerTask: 40 })],
    ['another variant beside', changed({ variants: ['none', 'specific'] })],
    [
      'other prompts of a variant beside',
      changed({ tasks: [task(0), { ...task(1), prompts: { ...task(1).prompts, generic: 'Other.' } }] }),
    ],
    ['a limit of another benchmark', identityOf(measured, { ...evaluate, cweval: { testSeconds: 3 } })],
    ['other verdicts', changed({ base: [] })],
  ])('is the same with %s', (_, other) => {
    expect(other).toBe(identity);
  });
});
