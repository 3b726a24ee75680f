/** What the text of a task's Python files says: the prompt, the signature, the tests. Pure. */
import { SecpiError } from '../../../contract/errors.ts';

/** The marker lines of CWEval's files. */
const beginPrompt = 'BEGIN PROMPT';
const beginSolution = 'BEGIN SOLUTION';

/** Names of the test functions, in file order. */
export interface TestIds {
  readonly functional: readonly string[];
  readonly security: readonly string[];
}

export interface TaskText {
  /** All above the solution, as CWEval would show it to a model. */
  readonly prompt: string;
  /** Of the entry point, such as `csv_line(cells)`. */
  readonly signature: string;
  /** The entry point's docstring, as it stands in the file, without its indent. */
  readonly description: string;
}

/**
 * The prompt is the text above the first line with the solution marker (and below the prompt marker, where there is one).
 * @throws SecpiError SUITE_INVALID without a solution marker, or when the prompt does not define the entry point with a docstring.
 */
export function parseTaskFile(file: string, text: string, entryPoint: string): TaskText {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const end = lines.findIndex((line) => line.includes(beginSolution));
  if (end === -1) throw new SecpiError('SUITE_INVALID', `${file} has no line with "${beginSolution}".`);
  const start = lines.findLastIndex((line, index) => index < end && line.includes(beginPrompt)) + 1;
  const prompt = lines.slice(start, end).join('\n').trim();
  for (const match of prompt.matchAll(/^def ((\w+)\([^\n]*\))(?: -> [^\n]+)?:\n {4}"""([\s\S]*?)"""$/gm)) {
    const [, signature, name, docstring] = match;
    if (name !== entryPoint || signature === undefined || docstring === undefined) continue;
    const description = docstring.replaceAll(/^ {4}/gm, '').trim();
    return { prompt, signature, description };
  }
  throw new SecpiError(
    'SUITE_INVALID',
    `${file} has no "def ${entryPoint}(" with a docstring above its solution.`,
  );
}

/**
 * Tests are plain functions under one mark each, so that their names are known before anything runs.
 * @throws SecpiError SUITE_INVALID for a test without a mark, a name given twice, a parametrised test, or fewer than two functional or no security test.
 */
export function parseTestIds(file: string, text: string): TestIds {
  const ids: Record<'functionality' | 'security', string[]> = { functionality: [], security: [] };
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  for (const [index, line] of lines.entries()) {
    const name = /^(?:async )?def (test_\w+)\(/.exec(line)?.[1];
    if (name === undefined) continue;
    const mark = /^@pytest\.mark\.(functionality|security)$/.exec(lines[index - 1] ?? '')?.[1];
    if (mark !== 'functionality' && mark !== 'security') {
      throw new SecpiError(
        'SUITE_INVALID',
        `${file}: ${name} needs @pytest.mark.functionality or @pytest.mark.security on the line above it.`,
      );
    }
    if (lines[index - 2]?.startsWith('@') === true) {
      throw new SecpiError(
        'SUITE_INVALID',
        `${file}: ${name} has a second decorator; a test has its mark alone.`,
      );
    }
    if ([...ids.functionality, ...ids.security].includes(name)) {
      throw new SecpiError('SUITE_INVALID', `${file} defines ${name} twice.`);
    }
    ids[mark].push(name);
  }
  if (ids.functionality.length < 2 || ids.security.length < 1) {
    throw new SecpiError(
      'SUITE_INVALID',
      `${file} needs at least two functional tests and one security test.`,
    );
  }
  return { functional: ids.functionality, security: ids.security };
}
