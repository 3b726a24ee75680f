/** The suite on disk: suite.json and, for each task, its task, test and unsafe file. Loaded whole, or refused with what is wrong. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { describeIssues } from '../../../contract/parse.ts';
import { cweSchema } from '../../../contract/rows.ts';
import { parseTaskFile, parseTestIds, type TaskText, type TestIds } from './taskFiles.ts';

export const suiteLanguages = ['py'] as const;
export type SuiteLanguage = (typeof suiteLanguages)[number];

const taskEntrySchema = z.strictObject({
  /** The path of the task's files without `_task.py`, with `/`, relative to the suite's folder. */
  id: z.string().regex(/^core\/py\/cwe_\d{3,4}_\d+$/, 'must look like core/py/cwe_089_0'),
  language: z.enum(suiteLanguages),
  cwe: cweSchema,
  /** The cluster of the bootstrap: tasks of one scenario rise and fall together. */
  scenario: z.string().regex(/^[a-z]+(-[a-z]+)*$/, 'must be lower-case words with hyphens'),
  /** True when no training trace is about this weakness. */
  heldOut: z.boolean(),
  entryPoint: z.string().regex(/^[a-z_][a-z0-9_]*$/, 'must be the name of a Python function'),
});

const suiteFileSchema = z.strictObject({
  name: z.string().min(1),
  version: z.int().positive(),
  license: z.string().min(1),
  tasks: z.array(taskEntrySchema).min(1),
});

export const suiteFileRoles = ['task', 'test', 'unsafe'] as const;
export type SuiteFileRole = (typeof suiteFileRoles)[number];

export interface SuiteFile {
  /** Absolute path. */
  readonly path: string;
  readonly sha256: string;
}

export interface SuiteTask extends z.infer<typeof taskEntrySchema>, TaskText {
  /** Every test that a grading must report, by pytest name within the test file. */
  readonly tests: TestIds;
  readonly files: Readonly<Record<SuiteFileRole, SuiteFile>>;
}

/**
 * Loads the suite of the folder `dir`, sorted by id.
 * @throws SecpiError SUITE_INVALID naming the file or the field of suite.json.
 */
export async function loadSuite(dir: string): Promise<SuiteTask[]> {
  const file = path.resolve(dir, 'suite.json');
  const { tasks } = parseSuiteFile(file, await readText(file));
  const ids = new Set<string>();
  for (const [index, { id }] of tasks.entries()) {
    if (ids.has(id))
      throw new SecpiError('SUITE_INVALID', `${file} names "${id}" twice.`, { field: `tasks[${index}].id` });
    ids.add(id);
  }
  const loaded = await Promise.all(tasks.map((entry) => loadTask(path.resolve(dir), entry)));
  return loaded.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * SHA-256 over what decides a result: ids, entry points and the hashes of the task and test files.
 * Neither the order of the tasks nor the folder they lie in matters.
 */
export function suiteContentHash(tasks: readonly SuiteTask[]): string {
  const lines = tasks.map((task) =>
    JSON.stringify([
      task.id,
      task.language,
      task.cwe,
      task.scenario,
      task.heldOut,
      task.entryPoint,
      task.files.task.sha256,
      task.files.test.sha256,
    ]),
  );
  return sha256(lines.sort().join('\n'));
}

function parseSuiteFile(file: string, text: string): z.infer<typeof suiteFileSchema> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw new SecpiError('SUITE_INVALID', `${file} is not JSON: ${messageOf(error)}.`, { cause: error });
  }
  const result = suiteFileSchema.safeParse(input);
  if (result.success) return result.data;
  const problems = describeIssues(result.error, input).map(({ field, problem }) => `${field} ${problem}`);
  throw new SecpiError('SUITE_INVALID', `${file}: ${problems.join('; ')}.`, { cause: result.error });
}

async function loadTask(dir: string, entry: z.infer<typeof taskEntrySchema>): Promise<SuiteTask> {
  const read = async (role: SuiteFileRole): Promise<SuiteFile & { text: string }> => {
    const file = path.join(dir, `${entry.id}_${role}.${entry.language}`);
    const text = await readText(file);
    return { path: file, text, sha256: sha256(text) };
  };
  const [task, test, unsafe] = await Promise.all([read('task'), read('test'), read('unsafe')]);
  const taskText = parseTaskFile(task.path, task.text, entry.entryPoint);
  const tests = parseTestIds(test.path, test.text);
  const files = { task: withoutText(task), test: withoutText(test), unsafe: withoutText(unsafe) };
  return { ...entry, ...taskText, tests, files };
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
