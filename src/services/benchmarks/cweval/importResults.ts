/** Reads what others evaluated with CWEval: a folder with generated_<i>/res.json, or with res_all.json alone. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import type { BenchmarkTaskRow, VerdictRow } from '../../../contract/rows.ts';
import { generatedFolders, readSamples, type StoredSample } from '../samplesFolder.ts';
import { isCwevalLanguage, rowLanguages } from './requirements.ts';

export interface ImportedResults {
  /** Sorted by id. Prompts and tests are not part of a results folder: the prompts say so. */
  readonly tasks: readonly BenchmarkTaskRow[];
  /** By task, then by sample: every task has every sample, a missing one as a failure. */
  readonly verdicts: readonly VerdictRow[];
  readonly samplesPerTask: number;
  /** Replies that still lie in the folder, by `<taskId> <index>`. */
  readonly replies: ReadonlyMap<string, string>;
  /** What is missing or cannot be told, a sentence each. */
  readonly notes: readonly string[];
}

const judgedSchema = z.object({ functional: z.boolean().nullable(), secure: z.boolean().nullable() });
const resultsSchema = z.record(z.string(), judgedSchema);
const mergedSchema = z.record(
  z.string(),
  z.object({ functional: z.array(z.boolean()), secure: z.array(z.boolean()) }),
);

interface Found {
  readonly samplesPerTask: number;
  /** By `<taskId> <index>`. */
  readonly judged: ReadonlyMap<string, { readonly functional: boolean; readonly secure: boolean }>;
  readonly taskIds: ReadonlySet<string>;
  readonly missing: readonly string[];
}

const NO_PROMPT = '(The prompt is not part of an imported results folder.)';
/** evals/NAME/generated_3/core/py/cwe_020_0_test.py, with any start and X for the number. */
const RESULT_PATH =
  /(?:^|\/)generated_(?:\d+|X)\/(?<folder>.+)\/(?<name>(?<scenario>cwe_(?<number>\d{1,4})_\d+)(?:_(?<language>[a-z]+))?)_test\.py$/;

/** @throws SecpiError SAMPLES_INVALID where the folder holds no results, or malformed ones. */
export async function importCwevalResults(dir: string): Promise<ImportedResults> {
  const stored = await storedSamples(dir);
  const found = (await readEach(dir)) ?? (await readMerged(dir));
  if (found === null) throw invalid(`${dir} holds neither generated_<i>/res.json nor res_all.json.`);
  const ids = new Set([...found.taskIds, ...stored.map(({ taskId }) => taskId)]);
  const tasks = [...ids].sort().map((taskId, index) => taskRow(taskId, index));
  const replies = new Map(stored.map(({ taskId, index, reply }) => [`${taskId} ${index}`, reply]));
  const samplesPerTask = Math.max(found.samplesPerTask, ...stored.map(({ index }) => index + 1));
  const verdicts = tasks.flatMap((task) =>
    Array.from({ length: samplesPerTask }, (_, sample) => {
      const key = `${task.taskId} ${sample}`;
      return verdictRow(task, sample, found.judged.get(key) ?? null, replies.has(key), samplesPerTask);
    }),
  );
  const vanished = verdicts.filter(({ upstream }) => upstream === null).length;
  const notes = [
    ...found.missing,
    ...(vanished === 0
      ? []
      : [
          `${vanished} of ${verdicts.length} samples are not in the results; the strict figures count them as failures.`,
        ]),
  ];
  return { tasks, verdicts, samplesPerTask, replies, notes };
}

/** Null without a single res.json. */
async function readEach(dir: string): Promise<Found | null> {
  const judged = new Map<string, { functional: boolean; secure: boolean }>();
  const taskIds = new Set<string>();
  const without: string[] = [];
  const folders = await foldersOrNone(dir);
  for (const { folder, index } of folders) {
    const results = await readJson(join(dir, folder, 'res.json'), resultsSchema);
    if (results === null) {
      without.push(`${folder} has no res.json.`);
      continue;
    }
    for (const [file, { functional, secure }] of Object.entries(results)) {
      const taskId = taskOf(file);
      taskIds.add(taskId);
      judged.set(`${taskId} ${index}`, { functional: functional === true, secure: secure === true });
    }
  }
  if (without.length === folders.length) return null;
  return {
    samplesPerTask: Math.max(...folders.map(({ index }) => index)) + 1,
    judged,
    taskIds,
    missing: without,
  };
}

/** The lists of res_all.json lose the place of a sample that vanished: what is there counts from 0. */
async function readMerged(dir: string): Promise<Found | null> {
  const merged = await readJson(join(dir, 'res_all.json'), mergedSchema);
  if (merged === null) return null;
  const judged = new Map<string, { functional: boolean; secure: boolean }>();
  const entries = Object.entries(merged).map(([file, lists]) => ({ taskId: taskOf(file), ...lists }));
  for (const { taskId, functional, secure } of entries)
    for (const [index, isFunctional] of functional.entries())
      judged.set(`${taskId} ${index}`, { functional: isFunctional, secure: secure[index] === true });
  const counts = entries.map(({ functional }) => functional.length);
  const samplesPerTask = Math.max(0, ...counts);
  const short = counts.filter((count) => count < samplesPerTask).length;
  const missing =
    short === 0
      ? []
      : [`${short} tasks have fewer samples than others in res_all.json, which does not say which.`];
  return { samplesPerTask, judged, taskIds: new Set(entries.map(({ taskId }) => taskId)), missing };
}

function taskOf(file: string): string {
  const groups = RESULT_PATH.exec(file.replaceAll('\\', '/'))?.groups;
  if (groups === undefined) throw invalid(`"${file}" is not named like a test of CWEval.`);
  return `${groups['folder'] ?? ''}/${groups['name'] ?? ''}`;
}

function taskRow(taskId: string, index: number): BenchmarkTaskRow {
  const {
    scenario = taskId,
    number = '',
    language = 'py',
  } = RESULT_PATH.exec(`generated_0/${taskId}_test.py`)?.groups ?? {};
  const cwe = /^\d+$/.test(number) ? `CWE-${Number(number)}` : null;
  return {
    index,
    benchmark: 'cweval',
    taskId,
    cwe,
    cwes: cwe === null ? [] : [cwe],
    scenario,
    language: isCwevalLanguage(language) ? rowLanguages[language] : language,
    entryPoint: null,
    prompts: { none: NO_PROMPT, generic: NO_PROMPT, specific: NO_PROMPT },
    testsSha256: createHash('sha256').update(`imported ${taskId}`).digest('hex'),
  };
}

function verdictRow(
  task: BenchmarkTaskRow,
  sample: number,
  judged: { readonly functional: boolean; readonly secure: boolean } | null,
  hasReply: boolean,
  samplesPerTask: number,
): VerdictRow {
  const { functional, secure } = judged ?? { functional: false, secure: false };
  const word = functional ? (secure ? 'passed' : 'insecure') : 'notFunctional';
  return {
    index: task.index * samplesPerTask + sample,
    benchmark: 'cweval',
    variant: 'none',
    taskId: task.taskId,
    sample,
    cwe: task.cwe,
    scenario: task.scenario,
    language: task.language,
    generated: judged !== null || hasReply,
    extractable: judged !== null,
    functional,
    secure,
    unknown: false,
    truncated: false,
    reason: judged === null ? (hasReply ? 'missingFromResults' : 'notGenerated') : word,
    failedTests: [],
    foundCwes: [],
    upstream: judged,
    attempts: 1,
    opinions: [],
    log: '',
  };
}

async function storedSamples(dir: string): Promise<readonly StoredSample[]> {
  try {
    return (await readSamples(dir)).samples;
  } catch (error) {
    // Results alone are enough.
    if (error instanceof SecpiError && error.code === 'SAMPLES_INVALID') return [];
    throw error;
  }
}

async function foldersOrNone(dir: string): Promise<{ folder: string; index: number }[]> {
  try {
    return await generatedFolders(dir);
  } catch (error) {
    if (error instanceof SecpiError && error.code === 'SAMPLES_INVALID') return [];
    throw error;
  }
}

/** Null where the file is not there. */
async function readJson<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<z.infer<Schema> | null> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw invalid(`${file} cannot be read: ${messageOf(error)}.`, error);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw invalid(`${file} is not what CWEval writes: ${messageOf(error).slice(0, 300)}.`, error);
  }
}

function invalid(problem: string, cause?: unknown): SecpiError {
  return new SecpiError('SAMPLES_INVALID', problem, {
    field: 'samples',
    remedy: 'Give the folder of one evaluation of CWEval, as evals/eval_241110_014704.',
    cause,
  });
}
