/**
 * How long the summary of two models takes: `node bench/statistics/summary.ts [verdicts a model] [scenarios]`.
 * 40,000 verdicts a model over 400 tasks, each its own scenario unless told otherwise: the slowest shape for a bootstrap.
 */
import type { BenchmarkTaskRow, VerdictRow } from '../../src/contract/rows.ts';
import { seededRandom } from '../../src/services/metrics/random.ts';
import { buildSummary } from '../../src/services/report/buildSummary.ts';

const TASKS = 400;
const CWES = [20, 22, 78, 79, 89, 94, 117, 125, 190, 327, 400, 416, 502, 522, 703, 732, 787, 863, 918, 1333];
const LANGUAGES = ['python', 'javascript', 'typescript', 'c', 'c++', 'go'];

const [verdicts = 40_000, scenarios = TASKS] = process.argv.slice(2).map(Number);
const samplesPerTask = Math.ceil(verdicts / TASKS);
const of = <Item>(items: readonly Item[], i: number): Item => {
  const item = items[i % items.length];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
};

const tasks = Array.from({ length: TASKS }, (_, index): BenchmarkTaskRow => {
  const cwe = `CWE-${of(CWES, index)}`;
  return {
    index,
    benchmark: 'suite',
    taskId: `task-${index}`,
    cwe,
    cwes: [cwe, `CWE-${of(CWES, index + 7)}`],
    scenario: `scenario-${index % scenarios}`,
    language: of(LANGUAGES, index),
    entryPoint: null,
    prompts: { none: 'Write it.', generic: 'Write it.', specific: 'Write it.' },
    testsSha256: '0'.repeat(64),
  };
});

function answers(seed: number, gain: number): VerdictRow[] {
  const random = seededRandom(seed);
  return tasks.flatMap(({ index, taskId, cwe, scenario, language }) => {
    const ease = random();
    return Array.from({ length: samplesPerTask }, (_, sample): VerdictRow => {
      const functional = random() < ease;
      const secure = random() < 0.4 + gain;
      return {
        index: index * samplesPerTask + sample,
        benchmark: 'suite',
        variant: 'none',
        taskId,
        sample,
        cwe,
        scenario,
        language,
        generated: true,
        extractable: true,
        functional,
        secure,
        unknown: false,
        truncated: false,
        reason: functional ? 'passed' : 'testsFailed',
        failedTests: [],
        foundCwes: [],
        upstream: null,
        attempts: 1,
        opinions: [{ name: 'bandit', findings: Number(random() < 0.3), rules: [] }],
        log: '',
      };
    });
  });
}

const sampling = { temperature: 0.8, topP: 0.95, maxTokens: 2048, seed: 1 };
const [base, tuned] = [answers(1, 0), answers(2, 0.1)];
const startedMs = performance.now();
const cpu = process.cpuUsage();
const { difference } = buildSummary({
  run: {
    workflowId: 'bench',
    runId: 'bench',
    recipe: 'bench',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
  },
  labels: { base: 'base', tuned: 'tuned' },
  models: { base: { model: 'hf:a/b', sampling }, tuned: { model: 'hf:a/c', sampling } },
  benchmarks: [
    {
      name: 'suite',
      measures: 'functionAndSecurity',
      tasks,
      samplesPerTask,
      variants: ['none'],
      base,
      tuned,
      hasUpstreamFigure: false,
      references: null,
      versions: {},
      excluded: [],
    },
  ],
  skipped: [],
  trainedCwes: ['CWE-89', 'CWE-78', 'CWE-22'],
  training: null,
  usage: { classifier: null, teacher: null },
  stages: [],
  counts: {},
  versions: {},
  k: 1,
});
const seconds = (performance.now() - startedMs) / 1000;
const { user, system } = process.cpuUsage(cpu);
const cpuSeconds = (user + system) / 1e6;
console.log(
  `${base.length.toLocaleString('en')} verdicts × 2 models, ${TASKS} tasks of ${scenarios} scenarios: ${seconds.toFixed(2)} s (CPU ${cpuSeconds.toFixed(2)} s)`,
);
console.log(difference?.conclusions.join('\n'));
