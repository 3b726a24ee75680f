/** A run for tests: three benchmarks, two models, drawn from a seed. The headline has 18 tasks of 14 scenarios, 8 samples. */
import type { PromptVariant } from '../../contract/benchmarkNames.ts';
import type { AnalyserOpinion, BenchmarkTaskRow, VerdictRow } from '../../contract/rows.ts';
import { emptyUsage } from '../../contract/usage.ts';
import { seededRandom } from '../metrics/random.ts';
import type { EvaluatedBenchmark, SummaryInput } from './buildSummary.ts';

const CWES = [22, 22, 78, 78, 79, 89, 89, 95, 95, 113, 117, 338, 377, 502, 601, 732, 916, 1236];
const SAMPLES = 8;

interface Design {
  readonly benchmark: EvaluatedBenchmark['name'];
  /** Weakness of each task; null for a task that is about none. */
  readonly cwes: readonly (number | null)[];
  readonly language: (task: number) => string;
  readonly folder: string;
}

const designs = {
  suite: { benchmark: 'suite', cwes: CWES, language: () => 'python', folder: 'core/py' },
  cweval: {
    benchmark: 'cweval',
    cwes: [20, 22, 78, 79, 113, 117, 787, 416],
    language: (task) => (task < 4 ? 'python' : task < 6 ? 'javascript' : 'c'),
    folder: 'core/mixed',
  },
  guard: {
    benchmark: 'guard',
    cwes: Array.from({ length: 6 }, () => null),
    language: () => 'python',
    folder: 'guard/py',
  },
} satisfies Record<string, Design>;

function tasksOf({ benchmark, cwes, language, folder }: Design): BenchmarkTaskRow[] {
  return cwes.map((cwe, index) => {
    const before = cwes.slice(0, index).filter((other) => other === cwe).length;
    const stem = cwe === null ? `plain_${index}` : `cwe_${String(cwe).padStart(3, '0')}_${before}`;
    const task = `Write a ${language(index)} function for ${folder}/${stem}.`;
    const name = cwe === null ? null : `CWE-${cwe}`;
    return {
      index,
      benchmark,
      taskId: `${folder}/${stem}`,
      cwe: name,
      // One task of several weaknesses: it counts for each.
      cwes: name === null ? [] : name === 'CWE-787' ? [name, 'CWE-125'] : [name],
      scenario: cwe === null ? stem : `scenario-${cwe}`,
      language: language(index),
      entryPoint: null,
      prompts: {
        none: task,
        generic: `${task} Write secure code.`,
        specific: `${task} Avoid ${name ?? 'mistakes'}.`,
      },
      testsSha256: 'd'.repeat(64),
    };
  });
}

/** `gain` moves the chance that what works is secure as well. */
function verdictsOf(
  tasks: readonly BenchmarkTaskRow[],
  variants: readonly PromptVariant[],
  seed: number,
  gain: number,
): VerdictRow[] {
  const random = seededRandom(seed);
  const rows = variants.flatMap((variant) =>
    tasks.flatMap((task) => {
      const ease = 0.15 + 0.6 * random();
      return Array.from({ length: SAMPLES }, (_, sample) => {
        const functional = random() < ease;
        const secure = random() < 0.3 + gain && task.cwe !== null;
        const unknown = random() < 0.02;
        return verdictOf(task, variant, sample, {
          functional,
          secure,
          unknown,
          extractable: functional || random() < 0.8,
        });
      });
    }),
  );
  return rows.map((row, index) => ({ ...row, index }));
}

function verdictOf(
  task: BenchmarkTaskRow,
  variant: PromptVariant,
  sample: number,
  drawn: Pick<VerdictRow, 'functional' | 'secure' | 'unknown' | 'extractable'>,
): VerdictRow {
  const { functional, secure, unknown } = drawn;
  const passed = functional && !unknown && (secure || task.cwe === null);
  const reason = unknown
    ? 'sandboxFailed: the sandbox ended before its result'
    : passed
      ? 'passed'
      : functional
        ? 'securityTestsFailed'
        : 'testsFailed';
  return {
    index: 0,
    benchmark: task.benchmark,
    variant,
    taskId: task.taskId,
    sample,
    cwe: task.cwe,
    scenario: task.scenario,
    language: task.language,
    generated: true,
    ...drawn,
    truncated: sample === 5 && !functional,
    reason,
    failedTests: passed ? [] : ['test_rejects_parent_folder'],
    foundCwes: [],
    upstream: task.benchmark === 'cweval' && drawn.extractable ? { functional, secure } : null,
    attempts: unknown ? 3 : 1,
    opinions: task.language === 'python' && drawn.extractable ? [banditOpinion(secure, sample)] : [],
    log: passed ? '' : 'E   AssertionError: assert b"secret" != b"secret"',
  };
}

function banditOpinion(secure: boolean, sample: number): AnalyserOpinion {
  if (sample === 7) return { name: 'bandit', findings: null, rules: [] };
  const found = secure ? sample === 3 : sample % 2 === 0;
  return { name: 'bandit', findings: found ? 1 : 0, rules: found ? ['B602'] : [] };
}

const usage = {
  ...emptyUsage,
  requests: 92,
  retries: 4,
  reasoningTokens: 9100,
  rejectedUsd: 0.0021,
  unsettledUsd: 0.0004,
  promptTokens: 41_230,
  completionTokens: 12_804,
  costUsd: 0.0193,
};
const sampling = { temperature: 0.8, topP: 0.95, maxTokens: 512, seed: 7 };
const artefact = (kind: string, digit: string): string => `s3://secpi/artifacts/${kind}/${digit.repeat(64)}`;

/** The headline's benchmark alone has two prompt variants, cweval a figure of its own, and guard no security tests. */
export function testBenchmarks(): [EvaluatedBenchmark, EvaluatedBenchmark, EvaluatedBenchmark] {
  const of = (
    design: Design,
    variants: EvaluatedBenchmark['variants'],
    seed: number,
    gain: number,
  ): EvaluatedBenchmark => {
    const tasks = tasksOf(design);
    return {
      name: design.benchmark,
      measures: design.benchmark === 'guard' ? 'function' : 'functionAndSecurity',
      tasks,
      samplesPerTask: SAMPLES,
      variants,
      base: verdictsOf(tasks, variants, seed, 0),
      tuned: verdictsOf(tasks, variants, seed + 1, gain),
      hasUpstreamFigure: design.benchmark === 'cweval',
      references: { tasks: tasks.length, repeats: 2, failed: [], flaky: [] },
      versions: { [design.benchmark]: '5f3a9c01d2e4' },
      excluded: [],
    };
  };
  const [suite, cweval, guard] = [
    of(designs.suite, ['none', 'specific'], 1, 0.4),
    of(designs.cweval, ['none'], 11, 0.3),
    of(designs.guard, ['none'], 21, 0),
  ];
  return [
    suite,
    {
      ...cweval,
      references: { tasks: 8, repeats: 2, failed: ['core/mixed/cwe_787_0'], flaky: ['core/mixed/cwe_416_0'] },
      excluded: ['core/mixed/cwe_327_0: c++: g++ is missing on the workers.'],
    },
    guard,
  ];
}

export function testRun(): SummaryInput {
  return {
    run: {
      workflowId: 'mine',
      runId: '0190a8f2-6c1e-7d54-9a51-8e7f0b1c2d3e',
      recipe: 'quick',
      startedAt: '2026-11-21T06:00:00.000Z',
      finishedAt: '2026-11-21T06:12:40.000Z',
    },
    labels: { base: 'base', tuned: 'tuned' },
    models: {
      base: { model: 'embedded:smollm2-135m-instruct', sampling },
      tuned: { model: artefact('model', 'c'), sampling },
    },
    benchmarks: testBenchmarks(),
    skipped: [{ name: 'baxbench', reason: 'no worker has a container engine' }],
    k: 1,
    trainedCwes: [22, 78, 79, 89, 95, 338, 502, 601, 916].map((cwe) => `CWE-${cwe}`),
    training: {
      lossCurve: Array.from({ length: 30 }, (_, i) => ({
        step: i + 1,
        loss: 0.4 + 1.6 * Math.exp(-i / 9) + 0.05 * Math.sin(i * 2),
      })),
      evalLossBefore: 1.91,
      evalLossAfter: 0.74,
      logitsMaxAbsDiff: 3.182,
      steps: 30,
      rows: 34,
      resumedFromSteps: [20],
    },
    usage: { classifier: usage, teacher: { ...usage, requests: 38 } },
    stages: [
      stage('filter', artefact('filter', 'a'), 9.4, 38, 0.0193),
      { ...stage('distil', artefact('traces', 'b'), 14.2, 34, 0), reused: true },
      stage('fine-tune', artefact('model', 'c'), 305, 30, 0),
      stage('evaluate base', artefact('evaluation', 'd'), 141, 144, 0),
      stage('evaluate tuned', artefact('evaluation', 'e'), 163, 144, 0),
    ],
    counts: {
      filter: { in: 92, kept: 38, dropped: 50, duplicates: 3, bad: 1 },
      distil: { in: 38, kept: 34, bad: 0, 'rejected.truncated': 3, 'rejected.codeDoesNotParse': 1 },
    },
    data: {
      filter: { in: 92, kept: 38, dropped: 49, duplicates: 3, nearDuplicates: 1, contaminated: 0, bad: 1 },
      distil: { in: 38, accepted: 34, rejected: 4, bad: 0 },
      rejections: { truncated: 3, codeDoesNotParse: 1 },
      cwes: { 'CWE-89': 20, 'CWE-22': 14 },
      languages: { python: 34 },
      calibration: {
        truePositives: 27,
        falsePositives: 3,
        falseNegatives: 1,
        trueNegatives: 9,
        unanswered: 0,
        precision: { value: 0.9, low: 0.735, high: 0.979 },
        recall: { value: 27 / 28, low: 0.817, high: 0.999 },
        f1: null,
      },
    },
    versions: { secpi: '0.1.0' },
  };
}

function stage(
  name: string,
  artefact: string,
  seconds: number,
  rows: number,
  costUsd: number,
): SummaryInput['stages'][number] {
  return { name, artefact, seconds, reused: false, rows, costUsd };
}

/** The same run with the base model alone, and nothing known of training. */
export function testRunAlone(): SummaryInput {
  const { models, benchmarks, stages, data: _, ...rest } = testRun();
  return {
    ...rest,
    models: { base: models.base },
    benchmarks: benchmarks.map(({ tuned: _, ...alone }) => alone),
    stages: stages.filter(({ name }) => name !== 'evaluate tuned'),
    trainedCwes: null,
    training: null,
  };
}
