/** The suite's insecure variants as replies. */
import { readFile } from 'node:fs/promises';
import { codeOfFile, fenced } from '../../src/services/benchmarks/suite/replyOf.ts';
import type { SuiteTask } from '../../src/services/benchmarks/suite/suiteTask.ts';

/** A variant is a whole program; a reply is not, since the task's `main` is put behind it. */
export async function unsafeReply({ files, language, program }: SuiteTask): Promise<string> {
  if (files.unsafe === null) throw new Error('a task without an insecure variant');
  const { path } = files.unsafe;
  const text = (await readFile(path, 'utf8')).trimEnd();
  if (text.includes('BEGIN SOLUTION')) return fenced(codeOfFile(path, text, language), language);
  const main = program ?? '';
  // In Go the variant keeps its `main`, which a reply may hold too, for its imports' sake.
  const isMainLast = language !== 'go' && main !== '' && text.endsWith(main);
  return fenced(isMainLast ? text.slice(0, -main.length) : text, language);
}
