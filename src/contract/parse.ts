/** Parsing at the boundary: an error names the field, the value's problem and the remedy. Pure. */
import type { z } from 'zod';
import { SecpiError } from './errors.ts';
import { knownFields } from './knownFields.ts';
import { nearest } from './nearest.ts';
import { recipeSchema, type Recipe } from './recipe.ts';
import { findSecrets } from './secrets.ts';

/** Parses any workflow input. Throws SECRET_IN_INPUT or RECIPE_INVALID; never echoes a value that looks like a key. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const secrets = findSecrets(input);
  if (secrets.length > 0) {
    throw new SecpiError('SECRET_IN_INPUT', 'the value looks like a key.', { field: secrets.join(', ') });
  }
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = describeIssues(result.error, input, schema);
  const [first] = problems;
  if (first === undefined)
    throw new SecpiError('RECIPE_INVALID', 'the input does not fit.', { cause: result.error });
  if (problems.length === 1)
    throw new SecpiError('RECIPE_INVALID', `${first.problem}.`, { field: first.field });
  throw new SecpiError(
    'RECIPE_INVALID',
    `${problems.length} fields are wrong: ${problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ')}.`,
  );
}

export function parseRecipe(input: unknown): Recipe {
  const recipe = parseInput(recipeSchema, input);
  for (const path of Object.keys(recipe.provenance)) {
    if (valueAt(recipe, path) === undefined) {
      throw new SecpiError('RECIPE_INVALID', `no field is at the path "${path}".`, { field: 'provenance' });
    }
  }
  return recipe;
}

export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** One entry a field, with the path as a user would write it. With the schema, a mistyped field is told its name. */
export function describeIssues(error: z.ZodError, input: unknown, schema?: z.ZodType): FieldProblem[] {
  return error.issues.flatMap((issue): FieldProblem[] => {
    const field = formatPath(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: field === '' ? key : `${field}.${key}`,
        problem: `is not a known field; ${adviceOn(key, schema === undefined ? [] : knownFields(schema, issue.path))}`,
      }));
    }
    const value = valueAtPath(input, issue.path);
    const given = value === undefined ? 'is missing' : `is ${describeValue(value)}`;
    return [{ field: field === '' ? '(input)' : field, problem: `${given}; ${lowerFirst(issue.message)}` }];
  });
}

function adviceOn(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === null ? 'remove it or correct its name' : `did you mean "${meant}"?`;
}

function describeValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

function valueAtPath(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, part) =>
      typeof current === 'object' && current !== null ? Reflect.get(current, part) : undefined,
    input,
  );
}

function valueAt(input: unknown, path: string): unknown {
  return valueAtPath(input, path.split('.'));
}
