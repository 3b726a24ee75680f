/**
 * The same verdicts through the second implementation, in Python. Estimators, exact intervals and exact p-values agree to
 * 1e-9. A bootstrap's bound is the quantile of some probability p; theirs, of 8,000 resamples of its own, gives the range
 * between the quantiles p ± 5·√(p(1 − p)(1/10,000 + 1/8,000)), which chance leaves less than once in a million times.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { analyserNames } from '../../src/contract/benchmarkNames.ts';
import { cweFamilies } from '../../src/contract/rows.ts';
import type { BenchmarkSummary } from '../../src/contract/summary.ts';
import { familyOf } from '../../src/services/cwe/index.ts';
import { defaultBootstrap, isSeen } from '../../src/services/metrics/index.ts';
import { buildSummary } from '../../src/services/report/buildSummary.ts';
import { drawStudy, partOf, type Study } from './study.ts';

const TOLERANCE = 1e-9;
const trainedCwes = ['CWE-89', 'CWE-22', 'CWE-787', 'CWE-400'];

interface Settings {
  readonly k: number;
  readonly temperature: number;
}

function summarise(study: Study, { k, temperature }: Settings): BenchmarkSummary {
  const model = { model: 'hf:a/b', sampling: { temperature, topP: 1, maxTokens: 2048, seed: 1 } };
  const [benchmark] = buildSummary({
    run: {
      workflowId: 'w',
      runId: 'r',
      recipe: 'r',
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: '2026-01-01T00:00:00Z',
    },
    labels: { base: 'base', tuned: 'tuned' },
    models: { base: model, tuned: model },
    benchmarks: [
      {
        name: 'cweval',
        measures: 'functionAndSecurity',
        ...study,
        hasUpstreamFigure: true,
        references: null,
        versions: {},
        excluded: [],
      },
    ],
    skipped: [],
    trainedCwes,
    training: null,
    usage: { classifier: null, teacher: null },
    stages: [],
    counts: {},
    versions: {},
    k,
  }).benchmarks;
  if (benchmark === undefined) throw new Error('no benchmark');
  return benchmark;
}

async function secondOpinion(study: Study, { k, temperature }: Settings): Promise<unknown> {
  const cwes = [...new Set(study.tasks.flatMap((task) => task.cwes))];
  const script = fileURLToPath(new URL('secondOpinion/main.py', import.meta.url));
  const python = spawn(process.env['SECPI_PYTHON'] ?? 'python3', ['-B', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(python, 'exit');
  python.stdin.end(
    JSON.stringify({
      ...study,
      k,
      greedy: temperature === 0 && study.samplesPerTask === 1,
      ...defaultBootstrap,
      families: cweFamilies,
      familyOf: Object.fromEntries(cwes.map((cwe) => [cwe, familyOf(cwe)])),
      seenCwes: cwes.filter((cwe) => isSeen(cwe, new Set(trainedCwes))),
      analysers: analyserNames,
    }),
  );
  const printed = await text(python.stdout);
  expect(await exit).toEqual([0, null]);
  return JSON.parse(printed);
}

interface Checked {
  /** Figures that agree to the tolerance. */
  exact: number;
  /** Figures within the bounds of chance. */
  drawn: number;
  readonly problems: string[];
}

/** Everything that the second implementation says, against the same place in the summary. */
function compare(theirs: unknown, ours: unknown, path: string, checked: Checked): void {
  if (isRecord(theirs) && Array.isArray(theirs['between'])) {
    const [low, high] = theirs['between'].map(Number);
    const within = typeof ours === 'number' && ours >= Number(low) && ours <= Number(high);
    if (within) checked.drawn += 1;
    else checked.problems.push(`${path}: ${String(ours)} is not between ${low} and ${high}`);
  } else if (Array.isArray(theirs) && Array.isArray(ours)) {
    if (theirs.length !== ours.length) checked.problems.push(`${path}: ${ours.length}, not ${theirs.length}`);
    for (const [i, value] of theirs.entries()) compare(value, ours[i], `${path}[${i}]`, checked);
  } else if (isRecord(theirs) && isRecord(ours)) {
    for (const [key, value] of Object.entries(theirs)) compare(value, ours[key], `${path}.${key}`, checked);
  } else if (typeof theirs === 'number' && typeof ours === 'number') {
    if (Math.abs(theirs - ours) <= TOLERANCE) checked.exact += 1;
    else checked.problems.push(`${path}: ${ours}, not ${theirs}`);
  } else if (theirs !== ours) checked.problems.push(`${path}: ${String(ours)}, not ${String(theirs)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

describe('the second implementation', () => {
  const study = drawStudy();
  const few = partOf(study, { scenarios: 9, samples: 1, variants: 1 });
  const fewer = partOf(study, { scenarios: 3, samples: 4, variants: 2 });

  it('is given 10,000 verdicts of clustered tasks', () => {
    expect(study.base.length + study.tuned.length).toBe(10_000);
    expect(new Set(study.tasks.map(({ scenario }) => scenario)).size).toBeGreaterThan(30);
  });

  it.each([
    ['all of them', study, { k: 1, temperature: 0.8 }, 1500, 150],
    ['tries of five', study, { k: 5, temperature: 0.8 }, 1500, 150],
    [
      'one greedy answer a task',
      partOf(study, { scenarios: 99, samples: 1, variants: 1 }),
      { k: 1, temperature: 0 },
      900,
      100,
    ],
    ['few scenarios', few, { k: 1, temperature: 0 }, 1500, 100],
    ['too few scenarios for a bootstrap', fewer, { k: 2, temperature: 0.8 }, 1500, 0],
  ] satisfies [string, Study, Settings, number, number][])(
    'agrees on %s',
    async (_, part, settings, exact, drawn) => {
      const checked: Checked = { exact: 0, drawn: 0, problems: [] };
      compare(await secondOpinion(part, settings), summarise(part, settings), '', checked);
      expect(checked.problems).toEqual([]);
      expect(checked.exact).toBeGreaterThanOrEqual(exact);
      expect(checked.drawn).toBeGreaterThanOrEqual(drawn);
    },
    300_000,
  );
});
