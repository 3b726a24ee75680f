/** Reads a recipe from disk. */
import { readFile } from 'node:fs/promises';
import { SecpiError } from '../contract/errors.ts';
import { workflowInputSchemas } from '../contract/inputs.ts';
import { describeIssues, parseInput, parseRecipe, type FieldProblem } from '../contract/parse.ts';
import { parseScheduleFile, scheduleFileSchema } from '../contract/schedule.ts';
import { findSecrets } from '../contract/secrets.ts';
import { parseExperiment } from '../contract/workflows.ts';
import { inputKinds, type InputKind } from './inputKinds.ts';

export async function readInputFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new SecpiError('RECIPE_INVALID', `${path} cannot be read.`, {
      field: '(file)',
      remedy: 'Give the path of a JSON file.',
      cause,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SecpiError('RECIPE_INVALID', `${path} is not JSON: ${problem}.`, {
      field: '(file)',
      remedy: 'Correct the file at the place named.',
      cause,
    });
  }
}

const schemas = { ...workflowInputSchemas, schedule: scheduleFileSchema };

/** The parsed input of a workflow, or the file of a schedule. Throws RECIPE_INVALID or SECRET_IN_INPUT. */
export function parseWorkflowInput(kind: InputKind, input: unknown): unknown {
  switch (kind) {
    case 'schedule':
      return parseScheduleFile(input);
    case 'secpi':
      return parseRecipe(input);
    case 'experiment':
      return parseExperiment(input);
    default:
      return parseInput(schemas[kind], input);
  }
}

export interface InputProblem extends FieldProblem {
  readonly code: 'RECIPE_INVALID' | 'SECRET_IN_INPUT';
  readonly remedy: string;
}

/** Every problem of the input, for editors and for `validate`; empty when it is good. */
export function problemsOf(kind: InputKind, input: unknown): InputProblem[] {
  const secret = new SecpiError('SECRET_IN_INPUT', 'the value looks like a key.');
  const secrets = findSecrets(input).map((field): InputProblem => ({
    code: 'SECRET_IN_INPUT',
    field,
    problem: 'looks like a key; its value is not shown',
    remedy:
      'Take it out, and rotate it if this file was shared or started; name an environment variable in `apiKeyEnv` instead.',
  }));
  if (secrets.length > 0) return secrets;
  const parsed = schemas[kind].safeParse(input);
  if (!parsed.success) {
    const problems = describeIssues(parsed.error, input, schemas[kind]);
    const other = kindThatFitsBetter(kind, input);
    const remedy =
      other === null
        ? 'Correct the field.'
        : `Correct the field; or is it meant as ${nameOf(other)}? Then: --type ${other}`;
    return problems.map((problem) => ({ ...problem, code: 'RECIPE_INVALID', remedy }));
  }
  try {
    parseWorkflowInput(kind, input);
    return [];
  } catch (error) {
    if (!(error instanceof SecpiError)) throw error;
    return [
      {
        code: secret.code === error.code ? 'SECRET_IN_INPUT' : 'RECIPE_INVALID',
        field: error.field ?? '(input)',
        problem: error.problem,
        remedy: error.remedy,
      },
    ];
  }
}

/** For people. */
export function nameOf(kind: InputKind): string {
  return kind === 'schedule' ? 'schedule file' : `input of ${kind}`;
}

/** What this rather is: it fits without a problem, or knows more of the fields. */
function kindThatFitsBetter(kind: InputKind, input: unknown): InputKind | null {
  const own = misfits(kind, input);
  const [best] = inputKinds
    .map((other) => ({ other, ...misfits(other, input) }))
    .filter(({ unknown, all }) => all < own.all && (all === 0 || unknown < own.unknown))
    .sort((one, two) => one.all - two.all);
  return best?.other ?? null;
}

function misfits(kind: InputKind, input: unknown): { readonly unknown: number; readonly all: number } {
  const issues = schemas[kind].safeParse(input).error?.issues ?? [];
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  return { unknown: unknown.length, all: issues.length };
}
