/** The texts of each evaluation set that a model may be graded on. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import { buildPrompt } from '../benchmarks/suite/prompt.ts';
import { loadGuard, loadSuite, type SuiteTask } from '../benchmarks/suite/suiteTask.ts';
import type { EvaluationText } from './decontaminator.ts';

/** Prompts, references and insecure variants of the project's own suites, in all languages. Throws SUITE_INVALID. */
export async function suiteTexts(suiteDir: string): Promise<EvaluationText[]> {
  const [suite, guard] = await Promise.all([loadSuite(suiteDir), loadGuard(suiteDir)]);
  const texts = [
    ...suite.map(async (task) => await textsOf(task, `suite/${task.id}`)),
    // Its ids begin with the suite's name already.
    ...guard.map(async (task) => await textsOf(task, task.id)),
  ];
  return (await Promise.all(texts)).flat();
}

async function textsOf(task: SuiteTask, name: string): Promise<EvaluationText[]> {
  const { task: reference, unsafe } = task.files;
  const parts = [
    ['prompt', task.description],
    ['prompt', task.prompt],
    ['prompt', buildPrompt(task)],
    ['reference', await readFile(reference.path, 'utf8')],
    ...(unsafe === null ? [] : [['insecure variant', await readFile(unsafe.path, 'utf8')] as const]),
  ] as const;
  return parts.map(([part, text]) => ({ task: name, part, text, group: name }));
}

/** `core/py/cwe_022_0_task.py`, `lang/c/cwe_787_2_c_unsafe.c`, `core/js/cwe_020_0_js_test.py`. */
const CWEVAL_FILE = /^(?<task>.*\/(?<group>cwe_\d+_\d+)(?:_[a-z]+)?)_(?<role>task|unsafe|test)\.\w+$/u;

/** Every task of a CWEval checkout: its prompt, reference, insecure variant and tests. */
export async function cwevalTexts(home: string): Promise<EvaluationText[]> {
  const folder = path.join(home, 'benchmark');
  const names = await filesBelow(folder);
  const texts = names.map(async (name): Promise<EvaluationText[]> => {
    const { task, group, role } = CWEVAL_FILE.exec(name)?.groups ?? {};
    if (task === undefined || group === undefined) return [];
    const text = await readFile(path.join(folder, name), 'utf8');
    const as = (part: string, content: string): EvaluationText => ({
      task: `cweval/${task}`,
      part,
      text: content,
      group: `cweval/${group}`,
    });
    if (role === 'unsafe') return [as('insecure variant', text)];
    if (role === 'test') return [as('tests', text)];
    return [as('prompt', cwevalPrompt(text)), as('reference', text)];
  });
  return (await Promise.all(texts)).flat();
}

/** What a model is shown of a task file: from the prompt's marker, where there is one, to the solution's. */
function cwevalPrompt(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => line.includes('BEGIN SOLUTION'));
  const start = lines.findIndex((line) => line.includes('BEGIN PROMPT')) + 1;
  return lines.slice(start, end === -1 ? lines.length : end).join('\n');
}

/** Every scenario of a BaxBench checkout: each specification (a long string of its file), and the file with its tests. */
export async function baxbenchTexts(home: string): Promise<EvaluationText[]> {
  const folder = path.join(home, 'src/scenarios');
  const names = (await filesBelow(folder)).filter(
    (name) => /^[a-z]\w*\.py$/u.test(name) && name !== 'base.py',
  );
  const texts = names.map(async (name): Promise<EvaluationText[]> => {
    const text = await readFile(path.join(folder, name), 'utf8');
    const task = `baxbench/${name.slice(0, -'.py'.length)}`;
    const specifications = [...text.matchAll(/"""([\s\S]*?)"""/gu)].map((match) => match[1] ?? '');
    return [
      ...specifications.map((part) => ({ task, part: 'specification', text: part, group: task })),
      { task, part: 'tests', text, group: task },
    ];
  });
  return (await Promise.all(texts)).flat();
}

const jsonLineSchema = z.object({ id: z.union([z.string(), z.number()]), text: z.string().min(1) });

/** JSON Lines `{id, text}`. Throws EVALUATION_SET_MISSING with the line that is not so. */
export async function jsonLinesTexts(file: string, field: string): Promise<EvaluationText[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const task = `${path.basename(file)}/`;
    try {
      const { id, text } = jsonLineSchema.parse(JSON.parse(line));
      return [{ task: `${task}${id}`, part: null, text, group: `${task}${id}` }];
    } catch (error) {
      throw new SecpiError('EVALUATION_SET_MISSING', `line ${index + 1} of ${file} is not {"id", "text"}.`, {
        field,
        cause: error,
      });
    }
  });
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .toSorted();
}
