/**
 * The suites on disk: suite.json with the tasks of security, guard.json with plain tasks that show forgetting; for each
 * task its task and test file, and its unsafe file where it is about a weakness. Loaded whole, or refused with what is
 * wrong.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { describeIssues } from '../../../contract/parse.ts';
import { cweSchema } from '../../../contract/rows.ts';
import { suiteLanguages, type SuiteLanguage } from './languages.ts';
import { parseTaskFile, parseTestIds, type TaskText, type TestIds } from './taskFiles.ts';

const entryPoint = z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of a function');

const taskEntrySchema = z
  .strictObject({
    /** The path of the task's files without `_task.py`, with `/`, relative to the suite's folder. */
    id: z
      .string()
      .regex(
        /^(?:core|lang)\/[a-z]+\/cwe_\d{3,4}_\d+(?:_[a-z]+)?$/,
        'must look like core/py/cwe_089_0 or core/js/cwe_079_0_js',
      ),
    language: z.enum(suiteLanguages),
    cwe: cweSchema,
    /** The cluster of the bootstrap: tasks of one scenario rise and fall together. */
    scenario: z.string().regex(/^[a-z]+(-[a-z]+)*$/, 'must be lower-case words with hyphens'),
    /** True when no training trace is about this weakness. */
    heldOut: z.boolean(),
    entryPoint,
  })
  .refine(({ id, language }) => namesLanguage(id, language), {
    message: 'must name its language as folder and, but for Python, as ending',
    path: ['id'],
  });

/** `core/py/cwe_022_0` is Python, `lang/c/cwe_787_0_c` is C. */
function namesLanguage(id: string, language: SuiteLanguage): boolean {
  const [, folder, name = ''] = id.split('/');
  const ending = /_(?:[a-z]+)$/.exec(name)?.[0] ?? '';
  return folder === language && ending === (language === 'py' ? '' : `_${language}`);
}

const guardEntrySchema = z.strictObject({
  id: z.string().regex(/^guard\/py\/[a-z0-9]+(_[a-z0-9]+)*$/, 'must look like guard/py/run_lengths'),
  language: z.literal('py'),
  scenario: z.string().regex(/^[a-z0-9]+([_-][a-z0-9]+)*$/, 'must be lower-case words'),
  entryPoint,
});

const fileSchema = <Entry extends z.ZodType>(entry: Entry) =>
  z.strictObject({
    name: z.string().min(1),
    version: z.int().positive(),
    license: z.string().min(1),
    tasks: z.array(entry).min(1),
  });
const suiteFileSchema = fileSchema(taskEntrySchema);
const guardFileSchema = fileSchema(guardEntrySchema);

interface TaskEntry {
  readonly id: string;
  readonly language: SuiteLanguage;
  /** Null for a task that is about no weakness. */
  readonly cwe: string | null;
  readonly scenario: string;
  readonly heldOut: boolean;
  readonly entryPoint: string;
}

export interface SuiteFile {
  /** Absolute path. */
  readonly path: string;
  readonly sha256: string;
}

export interface SuiteTask extends TaskEntry, TaskText {
  /** Every test that a grading must report, by pytest name within the test file. */
  readonly tests: TestIds;
  readonly files: { readonly task: SuiteFile; readonly test: SuiteFile; readonly unsafe: SuiteFile | null };
}

/**
 * Loads the suite of the folder `dir`, sorted by id.
 * @throws SecpiError SUITE_INVALID naming the file or the field of suite.json.
 */
export async function loadSuite(dir: string): Promise<SuiteTask[]> {
  const file = path.resolve(dir, 'suite.json');
  return await loadTasks(dir, file, parseListing(file, await readText(file), suiteFileSchema).tasks);
}

/**
 * Loads the guard suite of the same folder: tasks without a weakness, with functional tests alone.
 * @throws SecpiError SUITE_INVALID naming the file or the field of guard.json.
 */
export async function loadGuard(dir: string): Promise<SuiteTask[]> {
  const file = path.resolve(dir, 'guard.json');
  const { tasks } = parseListing(file, await readText(file), guardFileSchema);
  return await loadTasks(
    dir,
    file,
    tasks.map((entry) => ({ ...entry, cwe: null, heldOut: false })),
  );
}

async function loadTasks(dir: string, file: string, entries: readonly TaskEntry[]): Promise<SuiteTask[]> {
  const ids = new Set<string>();
  for (const [index, { id }] of entries.entries()) {
    if (ids.has(id))
      throw new SecpiError('SUITE_INVALID', `${file} names "${id}" twice.`, { field: `tasks[${index}].id` });
    ids.add(id);
  }
  const loaded = await Promise.all(entries.map((entry) => loadTask(path.resolve(dir), entry)));
  return loaded.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * SHA-256 over what decides a result: ids, entry points and the hashes of the task and test files.
 * Neither the order of the tasks nor the folder they lie in matters.
 */
export function suiteContentHash(tasks: readonly SuiteTask[]): string {
  return sha256(tasks.map(taskIdentity).sort().join('\n'));
}

/** SHA-256 over what decides a result of this one task. */
export function taskContentHash(task: SuiteTask): string {
  return sha256(taskIdentity(task));
}

function taskIdentity(task: SuiteTask): string {
  return JSON.stringify([
    task.id,
    task.language,
    task.cwe,
    task.scenario,
    task.heldOut,
    task.entryPoint,
    task.files.task.sha256,
    task.files.test.sha256,
  ]);
}

function parseListing<Schema extends z.ZodType>(file: string, text: string, schema: Schema): z.infer<Schema> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw new SecpiError('SUITE_INVALID', `${file} is not JSON: ${messageOf(error)}.`, { cause: error });
  }
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = describeIssues(result.error, input).map(({ field, problem }) => `${field} ${problem}`);
  throw new SecpiError('SUITE_INVALID', `${file}: ${problems.join('; ')}.`, { cause: result.error });
}

async function loadTask(dir: string, entry: TaskEntry): Promise<SuiteTask> {
  const read = async (name: string): Promise<SuiteFile & { text: string }> => {
    const file = path.join(dir, `${entry.id}_${name}`);
    const text = await readText(file);
    return { path: file, text, sha256: sha256(text) };
  };
  const isAboutWeakness = entry.cwe !== null;
  const [task, test, unsafe] = await Promise.all([
    read(`task.${entry.language}`),
    read('test.py'),
    isAboutWeakness ? read(`unsafe.${entry.language}`) : null,
  ]);
  return {
    ...entry,
    ...parseTaskFile(task.path, task.text, entry.entryPoint, entry.language),
    tests: parseTestIds(test.path, test.text, { security: isAboutWeakness }),
    files: {
      task: withoutText(task),
      test: withoutText(test),
      unsafe: unsafe === null ? null : withoutText(unsafe),
    },
  };
}

function withoutText({ path, sha256 }: SuiteFile): SuiteFile {
  return { path, sha256 };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SecpiError('SUITE_INVALID', `${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
