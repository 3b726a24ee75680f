/** What the text of a task's files says: the prompt, the signature, the program around it, the tests. Pure. */
import { SecpiError } from '../../../contract/errors.ts';
import { definesFunction, languageInfo, type SuiteLanguage } from './languages.ts';

/** The marker lines of CWEval's files. */
const beginPrompt = 'BEGIN PROMPT';
const beginSolution = 'BEGIN SOLUTION';
const beginEntryPoint = 'BEGIN ENTRYPOINT';

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
  /** What makes a program of the function: appended to a reply. Null where the tests import the reply. */
  readonly program: string | null;
  /** What stands above the prompt: the reference's own imports. */
  readonly preamble: string;
}

export interface TaskParts {
  readonly preamble: string;
  readonly prompt: string;
  /** Below the marker, up to the entry point. */
  readonly solution: string;
  readonly program: string | null;
}

/**
 * The prompt is the text above the first line with the solution marker (and below the prompt marker, where there is one).
 * @throws SecpiError SUITE_INVALID without a solution marker, and in other languages than Python without an entry point
 *   behind the solution.
 */
export function splitTaskFile(file: string, text: string, language: SuiteLanguage): TaskParts {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const end = lines.findIndex((line) => line.includes(beginSolution));
  if (end === -1) throw new SecpiError('SUITE_INVALID', `${file} has no line with "${beginSolution}".`);
  const start = lines.findLastIndex((line, index) => index < end && line.includes(beginPrompt)) + 1;
  const entry = lines.findIndex((line, index) => index > end && line.includes(beginEntryPoint));
  if (language !== 'py' && entry === -1)
    throw new SecpiError(
      'SUITE_INVALID',
      `${file} has no line with "${beginEntryPoint}" behind its solution.`,
    );
  const textOf = (from: number, to?: number) => lines.slice(from, to).join('\n');
  return {
    preamble: textOf(0, Math.max(0, start - 1)).trim(),
    prompt: textOf(start, end).trim(),
    solution: textOf(end + 1, entry === -1 ? undefined : entry).trimEnd(),
    program: language === 'py' ? null : textOf(entry + 1).trim(),
  };
}

/** @throws SecpiError SUITE_INVALID, also when the prompt does not define the entry point with a doc comment. */
export function parseTaskFile(
  file: string,
  text: string,
  entryPoint: string,
  language: SuiteLanguage = 'py',
): TaskText {
  const { preamble, prompt, program } = splitTaskFile(file, text, language);
  const parsed =
    language === 'py'
      ? parsePython(file, prompt, entryPoint)
      : parseProgram(file, prompt, entryPoint, language);
  return { ...parsed, program, preamble };
}

type FunctionText = Pick<TaskText, 'prompt' | 'signature' | 'description'>;

/** A doc comment, then the signature up to its brace. */
function parseProgram(
  file: string,
  prompt: string,
  entryPoint: string,
  language: SuiteLanguage,
): FunctionText {
  const parts =
    /^\/\*\*?([\s\S]*?)\*\/\s*([\s\S]*)\{$/.exec(prompt) ?? /^((?:\/\/.*\n)+)([\s\S]*)\{$/.exec(prompt);
  const [, comment = '', signature = ''] = parts ?? [];
  if (parts === null || !definesFunction(`${signature}{}`, languageInfo[language].name, entryPoint)) {
    throw new SecpiError(
      'SUITE_INVALID',
      `${file} has no function "${entryPoint}" right below a comment, with its brace at the end of the line, above its solution.`,
    );
  }
  const description = comment.replaceAll(/^[ \t]*(?:\*|\/\/)?[ \t]?/gm, '').trim();
  return { prompt, signature: signature.trim(), description };
}

function parsePython(file: string, prompt: string, entryPoint: string): FunctionText {
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
 * @throws SecpiError SUITE_INVALID for a test without a mark, a name given twice, a parametrised test, fewer than two functional tests, or no security
 *   test where `security` is wanted, or one where it is not.
 */
export function parseTestIds(file: string, text: string, { security } = { security: true }): TestIds {
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
  if (ids.functionality.length < 2 || ids.security.length > 0 !== security) {
    const wanted = security
      ? 'at least two functional tests and one security test'
      : 'functional tests alone, at least two';
    throw new SecpiError('SUITE_INVALID', `${file} needs ${wanted}.`);
  }
  return { functional: ids.functionality, security: ids.security };
}
