/** Reads a recipe from disk. */
import { readFile } from 'node:fs/promises';
import { SecpiError } from '../contract/errors.ts';
import { workflowInputSchemas } from '../contract/inputs.ts';
import { describeIssues, parseInput, parseRecipe, type FieldProblem } from '../contract/parse.ts';
import type { Recipe } from '../contract/recipe.ts';
import { findSecrets } from '../contract/secrets.ts';
import type { WorkflowType } from '../contract/workflows.ts';

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

/** The parsed input of a workflow. Throws RECIPE_INVALID or SECRET_IN_INPUT. */
export function parseWorkflowInput(type: WorkflowType, input: unknown): unknown {
  return type === 'secpi' ? parseRecipe(input) : parseInput(workflowInputSchemas[type], input);
}

export interface InputProblem extends FieldProblem {
  readonly code: 'RECIPE_INVALID' | 'SECRET_IN_INPUT';
  readonly remedy: string;
}

/** Every problem of the input, for editors and for `validate`; empty when it is good. */
export function problemsOf(type: WorkflowType, input: unknown): InputProblem[] {
  const secret = new SecpiError('SECRET_IN_INPUT', 'the value looks like a key.');
  const secrets = findSecrets(input).map((field): InputProblem => ({
    code: 'SECRET_IN_INPUT',
    field,
    problem: 'looks like a key; its value is not shown',
    remedy:
      'Take it out, and rotate it if this file was shared or started; name an environment variable in `apiKeyEnv` instead.',
  }));
  if (secrets.length > 0) return secrets;
  const parsed = workflowInputSchemas[type].safeParse(input);
  if (!parsed.success) {
    return describeIssues(parsed.error, input).map((problem) => ({
      ...problem,
      code: 'RECIPE_INVALID',
      remedy: 'Correct the field.',
    }));
  }
  try {
    parseWorkflowInput(type, input);
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

export type { Recipe };
