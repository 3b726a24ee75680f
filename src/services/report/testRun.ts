/** A run for tests: 18 tasks of 13 scenarios, 8 samples a model, drawn from a seed. */
import { emptyUsage } from '../../contract/usage.ts';
import type { VerdictRow } from '../../contract/rows.ts';
import { seededRandom } from '../metrics/random.ts';
import type { ExpectedTask } from '../metrics/index.ts';
import type { SummaryInput } from './buildSummary.ts';
import type { DataRows } from './data/collect.ts';
import type { ReportedSample } from './sampleData.ts';

const CWES = [22, 22, 78, 78, 79, 89, 89, 95, 95, 113, 117, 338, 377, 502, 601, 732, 916, 1236];
const SAMPLES = 8;

const expected: ExpectedTask[] = CWES.map((cwe, i) => ({
  taskId: `core/py/cwe_${String(cwe).padStart(3, '0')}_${CWES.slice(0, i).filter((other) => other === cwe).length}`,
  scenario: `scenario-${cwe}`,
  cwe: `CWE-${cwe}`,
  samples: SAMPLES,
}));

/** `gain` moves the chance that what works is secure as well. */
function verdicts(seed: number, gain: number): VerdictRow[] {
  const random = seededRandom(seed);
  return expected.flatMap((task, t) => {
    const ease = 0.15 + 0.6 * random();
    return Array.from({ length: SAMPLES }, (_, sample): VerdictRow => {
      const functional = random() < ease;
      const secure = random() < 0.3 + gain;
      const unknown = random() < 0.02;
      const passed = functional && secure && !unknown;
      return {
        index: t * SAMPLES + sample,
        benchmark: 'suite',
        taskId: task.taskId,
        sample,
        cwe: task.cwe,
        scenario: task.scenario,
        language: 'py',
        generated: true,
        extractable: functional || random() < 0.8,
        functional,
        secure,
        unknown,
        reason: unknown
          ? 'sandboxFailed'
          : passed
            ? 'passed'
            : functional
              ? 'securityTestsFailed'
              : 'testsFailed',
        failedTests: passed ? [] : ['test_rejects_parent_folder'],
        log: passed ? '' : 'E   AssertionError: assert b"secret" != b"secret"',
      };
    });
  });
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

export function testRun(): SummaryInput & { readonly tuned: NonNullable<SummaryInput['tuned']> } {
  return {
    run: {
      workflowId: 'mine',
      runId: '0190a8f2-6c1e-7d54-9a51-8e7f0b1c2d3e',
      recipe: 'quick',
      startedAt: '2026-11-21T06:00:00.000Z',
      finishedAt: '2026-11-21T06:12:40.000Z',
    },
    benchmark: 'suite',
    expected,
    base: { model: 'embedded:smollm2-135m-instruct', sampling, verdicts: verdicts(1, 0) },
    tuned: { model: artefact('model', 'c'), sampling, verdicts: verdicts(2, 0.4) },
    trainedCwes: [
      'CWE-22',
      'CWE-78',
      'CWE-79',
      'CWE-89',
      'CWE-95',
      'CWE-338',
      'CWE-502',
      'CWE-601',
      'CWE-916',
    ],
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
      {
        name: 'filter',
        artefact: artefact('filter', 'a'),
        seconds: 9.4,
        reused: false,
        rows: 38,
        costUsd: 0.0193,
      },
      {
        name: 'distil',
        artefact: artefact('traces', 'b'),
        seconds: 14.2,
        reused: true,
        rows: 34,
        costUsd: 0,
      },
      {
        name: 'fine-tune',
        artefact: artefact('model', 'c'),
        seconds: 305,
        reused: false,
        rows: 30,
        costUsd: 0,
      },
      {
        name: 'evaluate base',
        artefact: artefact('evaluation', 'd'),
        seconds: 141,
        reused: false,
        rows: 144,
        costUsd: 0,
      },
      {
        name: 'evaluate tuned',
        artefact: artefact('evaluation', 'e'),
        seconds: 163,
        reused: false,
        rows: 144,
        costUsd: 0,
      },
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
    versions: { secpi: '0.1.0', suite: '5f3a9c01d2e4' },
  };
}

export function testSamples(input: SummaryInput): ReportedSample[] {
  const of = (model: ReportedSample['model'], rows: readonly VerdictRow[]): ReportedSample[] =>
    rows.map((verdict) => ({
      model,
      verdict,
      prompt: `Write a Python function for ${verdict.taskId}.`,
      reply:
        '<think>\nThe name comes from the user.\n</think>\n```python\ndef read_upload(name):\n    return open(f"uploads/{name}", "rb").read()\n```',
      code: 'def read_upload(name):\n    return open(f"uploads/{name}", "rb").read()\n',
    }));
  return [...of('base', input.base.verdicts), ...of('tuned', input.tuned?.verdicts ?? [])];
}

/** Every kind of row, 64 in all, and 1,000 dropped ones of which six are here. */
export function testDataRows(): DataRows {
  const rows = Array.from({ length: 70 }, (_, index): DataRows['rows'][number] => {
    const id = `task-${index}`;
    const cwes = [index % 3 === 0 ? 'CWE-89' : 'CWE-22'];
    const language = index % 4 === 0 ? 'c' : 'python';
    const task = { title: 'Task', text: `Write task number ${index}.` };
    const facts = { index, id, sample: null, language, cwes, detail: null, texts: [task] };
    if (index < 38) return { ...facts, kind: 'kept', stage: 'filter', reason: 'reads a path of the user' };
    if (index < 44) return { ...facts, kind: 'dropped', stage: 'filter', cwes: [], reason: 'plain sums' };
    if (index < 45) {
      const reason = 'nearDuplicate';
      return { ...facts, kind: 'excluded', stage: 'filter', cwes: [], reason, detail: '0.93 like row 3' };
    }
    if (index < 46) return { ...facts, kind: 'dead', stage: 'filter', cwes: [], reason: 'invalid UTF-8' };
    const answer = { title: 'Answer', text: `def task_${index}(): ...` };
    if (index < 66) {
      const texts = [task, { title: 'Reasoning', text: 'The name is not to be trusted.' }, answer];
      return { ...facts, kind: 'accepted', stage: 'distil', sample: 0, reason: null, texts };
    }
    return {
      ...facts,
      kind: 'rejected',
      stage: 'distil',
      sample: 1,
      reason: index === 69 ? 'codeDoesNotParse' : 'truncated',
      detail: 'line 3',
      texts: [answer],
    };
  });
  return { totals: { kept: 38, dropped: 1000, excluded: 1, dead: 1, accepted: 20, rejected: 4 }, rows };
}
