/** Results that BaxBench made elsewhere → tasks and verdicts for our report, counted with a fixed denominator. */
import { join } from 'node:path';
import { promptVariants, type PromptVariant } from '../../../contract/benchmarkNames.ts';
import type { BenchmarkTaskRow, VerdictRow } from '../../../contract/rows.ts';
import { canonicalLanguage } from '../../language/names.ts';
import { sha256Hex } from '../../store/hash.ts';
import type { DriverGrade } from '../driver.ts';
import type { Catalogue } from './catalogue.ts';
import { failedTestsIn } from './failedTests.ts';
import { readCode, readTree, type FoundSample } from './readTree.ts';
import { CODE_FOLDER, sampleFolder, type Spec } from './upstreamTree.ts';
import { gradeOfRun } from './verdict.ts';

export interface ImportedSample {
  readonly verdict: VerdictRow;
  /** Files by path; empty where there are none. */
  readonly code: ReadonlyMap<string, string>;
}

/** All that one model did with one temperature and kind of specification. */
export interface ImportedResults {
  /** As its folder is named: BaxBench writes `-` for each `/`. */
  readonly model: string;
  readonly temperature: number;
  readonly spec: Spec;
  readonly variants: readonly PromptVariant[];
  readonly samplesPerTask: number;
  /** Sorted by id. */
  readonly tasks: readonly BenchmarkTaskRow[];
  /** By variant, task and sample; each has a row, whether BaxBench tested it or not. */
  readonly samples: readonly ImportedSample[];
}

export interface ImportOptions {
  /** With it, tasks carry their weaknesses and prompts, and counts are checked; without it, only what the tree tells. */
  readonly catalogue?: Catalogue;
}

/** @throws SecpiError SAMPLES_INVALID when nothing of BaxBench lies there. */
export async function importBaxbenchResults(
  dir: string,
  options: ImportOptions = {},
): Promise<ImportedResults[]> {
  const groups = Map.groupBy(await readTree(dir), ({ model, temperature, spec }) =>
    JSON.stringify([model, temperature, spec]),
  );
  const imported: ImportedResults[] = [];
  for (const found of groups.values()) imported.push(await importGroup(dir, found, options.catalogue));
  return imported;
}

async function importGroup(
  dir: string,
  found: readonly FoundSample[],
  catalogue: Catalogue | undefined,
): Promise<ImportedResults> {
  const [{ model, temperature, spec }] = found as [FoundSample, ...FoundSample[]];
  const variants = promptVariants.filter((name) => found.some(({ variant }) => variant === name));
  const samplesPerTask = 1 + Math.max(...found.map(({ sample }) => sample));
  const tasks = [...new Set(found.map(({ taskId }) => taskId))]
    .sort()
    .map((taskId, index) => taskRow(taskId, index, catalogue));
  const byPlace = new Map(
    found.map((sample) => [placeOf(sample.variant, sample.taskId, sample.sample), sample]),
  );
  const samples: ImportedSample[] = [];
  for (const variant of variants)
    for (const task of tasks)
      for (let sample = 0; sample < samplesPerTask; sample += 1) {
        const at = byPlace.get(placeOf(variant, task.taskId, sample));
        const verdict = verdictOf(samples.length, task, variant, sample, at, catalogue);
        const place = { model, taskId: task.taskId, temperature, spec, variant, sample };
        const hasCode = at?.code === 'files';
        const code = hasCode
          ? await readCode(join(sampleFolder(dir, place), CODE_FOLDER))
          : new Map<string, string>();
        samples.push({ verdict, code });
      }
  return { model, temperature, spec, variants, samplesPerTask, tasks, samples };
}

function placeOf(variant: string, taskId: string, sample: number): string {
  return JSON.stringify([variant, taskId, sample]);
}

function taskRow(taskId: string, index: number, catalogue: Catalogue | undefined): BenchmarkTaskRow {
  const known = catalogue?.tasks.find(({ row }) => row.taskId === taskId);
  if (known !== undefined) return { ...known.row, index };
  const [scenario = taskId, env = ''] = taskId.split('/');
  const prompt = '(The results do not hold the prompt; give a checkout to see it.)';
  return {
    index,
    benchmark: 'baxbench',
    taskId,
    cwe: null,
    cwes: [],
    scenario,
    language: env === 'JavaScript-nest' ? 'typescript' : canonicalLanguage(env.split('-', 1)[0] ?? env),
    entryPoint: null,
    prompts: { none: prompt, generic: prompt, specific: prompt },
    testsSha256: sha256Hex(`imported ${taskId}`),
  };
}

function verdictOf(
  index: number,
  task: BenchmarkTaskRow,
  variant: PromptVariant,
  sample: number,
  found: FoundSample | undefined,
  catalogue: Catalogue | undefined,
): VerdictRow {
  const grade = gradeOf(task, found, catalogue);
  return {
    index,
    benchmark: 'baxbench',
    variant,
    taskId: task.taskId,
    sample,
    cwe: task.cwe,
    scenario: task.scenario,
    language: task.language,
    generated: found !== undefined && isThere(found),
    extractable: grade.extractable,
    functional: grade.functional,
    secure: grade.secure,
    unknown: grade.unknown,
    truncated: false,
    reason: grade.reason.split(':', 1)[0] ?? grade.reason,
    failedTests: [...grade.failedTests],
    foundCwes: [...grade.foundCwes],
    upstream: grade.upstream,
    attempts: found?.results == null ? 0 : 1,
    opinions: [],
    log: grade.log,
  };
}

/** Some publish their results without the code. */
function isThere({ code, results }: FoundSample): boolean {
  return code !== 'none' || results !== null;
}

function gradeOf(
  task: BenchmarkTaskRow,
  found: FoundSample | undefined,
  catalogue: Catalogue | undefined,
): DriverGrade {
  if (found === undefined || !isThere(found))
    return notTested('notGenerated', { extractable: false, unknown: false });
  if (found.results === null) {
    if (found.code === 'failed') return notTested('formatNotFound', { extractable: false, unknown: false });
    return notTested('untested', { extractable: true, unknown: true });
  }
  const { results } = found;
  const known = catalogue?.tasks.find(({ row }) => row.taskId === task.taskId);
  // Without a checkout the tests' names are not known, and their number is what the results say.
  const expected = known ?? {
    functionalTests: Array.from({ length: results.num_total_ft }, (_, number) => `functional ${number}`),
    securityTests: [],
  };
  const evidence = {
    log: found.log,
    failedTests: failedTestsIn(found.log, expected, results),
    refusals: [],
    // The tree does not tell; an app that could not be built is counted as upstream counts it.
    containersMade: 1,
  };
  const grade = gradeOfRun({ kind: 'finished', results, exitCode: 0 }, evidence, expected, '');
  if (found.code !== 'failed') return grade;
  return { ...grade, extractable: false, reason: 'formatNotFound' };
}

function notTested(
  reason: string,
  { extractable, unknown }: Pick<DriverGrade, 'extractable' | 'unknown'>,
): DriverGrade {
  return {
    extractable,
    functional: false,
    secure: false,
    unknown,
    timedOut: false,
    reason,
    failedTests: [],
    foundCwes: [],
    upstream: null,
    code: null,
    log: '',
  };
}
