/** Verdicts of two models, drawn from a seed, for the check against the second implementation. */
import type { AnalyserName, PromptVariant } from '../../src/contract/benchmarkNames.ts';
import type { AnalyserOpinion, BenchmarkTaskRow, VerdictRow } from '../../src/contract/rows.ts';
import { seededRandom, type Random } from '../../src/services/metrics/random.ts';

export interface Study {
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly samplesPerTask: number;
  readonly variants: readonly PromptVariant[];
  readonly base: readonly VerdictRow[];
  readonly tuned: readonly VerdictRow[];
}

const CWES = [
  20, 22, 78, 79, 89, 94, 117, 125, 190, 327, 400, 416, 502, 522, 703, 732, 787, 863, 918, 943, 1333,
];
const LANGUAGES = ['python', 'c', 'javascript', 'go', 'c++'];
const SEED = 20_261_121;

/** 130 tasks of 41 unequal scenarios × 20 samples × 2 prompt variants × 2 models, less 400 that are missing. */
export function drawStudy(): Study {
  const random = seededRandom(SEED);
  const tasks = Array.from({ length: 130 }, (_, index) => drawTask(index, random));
  const samplesPerTask = 20;
  const variants: PromptVariant[] = ['none', 'specific'];
  const asked = tasks.length * samplesPerTask * variants.length;
  const missing = new Set<number>();
  while (missing.size < 400) missing.add(Math.floor(random() * 2 * asked));
  const rows = (gain: number, from: number): VerdictRow[] =>
    drawVerdicts(tasks, samplesPerTask, variants, gain, random).filter(
      ({ index }) => !missing.has(from + index),
    );
  return { tasks, samplesPerTask, variants, base: rows(0, 0), tuned: rows(0.08, asked) };
}

function drawTask(index: number, random: Random): BenchmarkTaskRow {
  // A few scenarios hold many tasks, most hold few.
  const scenario = Math.floor(41 * random() ** 1.7);
  const cwe = index % 13 === 5 ? null : pick(CWES, random);
  const more = index % 4 === 0 ? [pick(CWES, random), pick(CWES, random)] : [];
  const cwes = cwe === null ? [] : [...new Set([cwe, ...more])].map((id) => `CWE-${id}`);
  return {
    index,
    benchmark: 'cweval',
    taskId: `task-${index}`,
    cwe: cwe === null ? null : `CWE-${cwe}`,
    cwes,
    scenario: `scenario-${scenario}`,
    language: pick(LANGUAGES, random),
    entryPoint: null,
    prompts: { none: 'Write it.', generic: 'Write it securely.', specific: 'Write it without holes.' },
    testsSha256: '0'.repeat(64),
  };
}

/** Scenarios differ in how hard they are and in what the tuning did for them; tasks within them differ a little. */
function drawVerdicts(
  tasks: readonly BenchmarkTaskRow[],
  samplesPerTask: number,
  variants: readonly PromptVariant[],
  gain: number,
  random: Random,
): VerdictRow[] {
  const scenarios = new Map(
    [...new Set(tasks.map(({ scenario }) => scenario))].map((scenario) => [
      scenario,
      { ease: 1.2 * random() - 0.1, care: 1.2 * random() - 0.2 + 2 * gain * random() },
    ]),
  );
  const rows: VerdictRow[] = [];
  for (const variant of variants) {
    for (const task of tasks) {
      const { ease = 0, care = 0 } = scenarios.get(task.scenario) ?? {};
      const own = 0.2 * (random() - 0.5);
      for (let sample = 0; sample < samplesPerTask; sample += 1) {
        const functional = random() < ease + own;
        const secure = random() < care + own + (variant === 'specific' ? 0.15 : 0);
        rows.push(verdictOf(task, { index: rows.length, variant, sample, functional, secure }, random));
      }
    }
  }
  return rows;
}

function verdictOf(
  task: BenchmarkTaskRow,
  drawn: Pick<VerdictRow, 'index' | 'variant' | 'sample' | 'functional' | 'secure'>,
  random: Random,
): VerdictRow {
  const { functional, secure } = drawn;
  const unknown = random() < 0.03;
  const vanished = !functional && random() < 0.3;
  const passed = functional && secure && !unknown;
  return {
    ...drawn,
    benchmark: task.benchmark,
    taskId: task.taskId,
    cwe: task.cwe,
    scenario: task.scenario,
    language: task.language,
    generated: true,
    extractable: !vanished,
    unknown,
    truncated: random() < 0.02,
    reason: unknown
      ? 'sandboxFailed: the sandbox ended before its result'
      : passed
        ? 'passed'
        : functional
          ? 'securityTestsFailed: 2 of 5'
          : 'testsFailed: 1 of 3',
    failedTests: passed ? [] : ['test_it'],
    foundCwes: [],
    upstream: vanished ? null : { functional, secure: secure || random() < 0.05 },
    attempts: random() < 0.04 ? 2 : 1,
    opinions: opinionsOf(task.language, secure, random),
    log: '',
  };
}

/** Analysers see some of what the tests see; none looks at JavaScript. */
function opinionsOf(language: string, secure: boolean, random: Random): AnalyserOpinion[] {
  const names: Readonly<Record<string, readonly AnalyserName[]>> = {
    python: ['bandit', 'semgrep'],
    c: ['flawfinder', 'cppcheck'],
    'c++': ['flawfinder'],
    go: ['gosec'],
  };
  return (names[language] ?? []).map((name) => {
    const findings =
      random() < 0.05 ? null : random() < (secure ? 0.2 : 0.55) ? 1 + Math.floor(3 * random()) : 0;
    return { name, findings, rules: [] };
  });
}

/** The study as it would be with fewer scenarios, samples or variants. */
export function partOf(
  study: Study,
  { scenarios, samples, variants }: { scenarios: number; samples: number; variants: number },
): Study {
  const names = new Set([...new Set(study.tasks.map(({ scenario }) => scenario))].slice(0, scenarios));
  const kept = study.variants.slice(0, variants);
  const rows = (all: readonly VerdictRow[]): VerdictRow[] =>
    all.filter(
      ({ scenario, sample, variant }) => names.has(scenario) && sample < samples && kept.includes(variant),
    );
  return {
    tasks: study.tasks.filter(({ scenario }) => names.has(scenario)),
    samplesPerTask: samples,
    variants: kept,
    base: rows(study.base),
    tuned: rows(study.tuned),
  };
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}
