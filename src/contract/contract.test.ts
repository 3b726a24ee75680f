import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SecpiError } from './errors.ts';
import { jsonSchemas } from './jsonSchemas.ts';
import { parseInput, parseRecipe } from './parse.ts';
import { findSecrets, redact } from './secrets.ts';
import {
  askInputSchema,
  distillInputSchema,
  estimateInputSchema,
  evaluateInputSchema,
  filterInputSchema,
  fineTuneInputSchema,
  refreshInputSchema,
} from './workflows.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

async function quick(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(project('recipes/quick.json'), 'utf8')) as Record<string, unknown>;
}

/** The recipe with one value set at a path such as `filter.classifier.model`. */
async function quickWith(path: string, value: unknown): Promise<unknown> {
  const recipe = await quick();
  const names = path.split('.');
  const last = names.pop() ?? '';
  const target = names.reduce<Record<string, unknown>>(
    (current, name) => current[name] as Record<string, unknown>,
    recipe,
  );
  target[last] = value;
  return recipe;
}

function refusalOf(input: unknown): SecpiError {
  try {
    parseRecipe(input);
  } catch (error) {
    if (error instanceof SecpiError) return error;
    throw error;
  }
  throw new Error('the recipe was taken');
}

describe('recipes', () => {
  it('all that the project ships are valid', async () => {
    const files = (await readdir(project('recipes'), { recursive: true })).filter((name) =>
      name.endsWith('.json'),
    );
    const names: string[] = [];
    for (const file of files) {
      const input = JSON.parse(await readFile(project(`recipes/${file}`), 'utf8')) as { $schema?: unknown };
      // Inputs of other workflows and schedules name other schemas.
      if (!String(input.$schema).endsWith('/recipe.schema.json')) continue;
      names.push(file);
      expect(parseRecipe(input).version).toBe(1);
    }
    for (const file of ['quick.json', 'ablations/no-filter.json', 'gpu/full-7b.json'])
      expect(names).toContain(file);
  });

  it('the refresh is valid, of the tasks that the quick run has', async () => {
    const input: unknown = JSON.parse(await readFile(project('recipes/refresh.json'), 'utf8'));
    const quick = parseRecipe(JSON.parse(await readFile(project('recipes/quick.json'), 'utf8')));
    const { dataset, filter, distill } = parseInput(refreshInputSchema, input);
    expect({ dataset, filter, distill }).toEqual({
      dataset: quick.dataset,
      filter: quick.filter,
      distill: quick.distill,
    });
  });

  it.each([
    ['filter', filterInputSchema],
    ['distil', distillInputSchema],
    ['fine-tune', fineTuneInputSchema],
    ['evaluate', evaluateInputSchema],
    ['ask', askInputSchema],
    ['estimate', estimateInputSchema],
  ])('the example of the stage %s is valid', async (name, schema) => {
    const input: unknown = JSON.parse(await readFile(project(`recipes/stages/${name}.json`), 'utf8'));
    expect(parseInput(schema, input)).toMatchObject({ version: 1 });
  });

  it.each([
    ['finetune.learningRate', 'fast', 'finetune.learningRate', /"fast"/],
    ['finetune.learnRate', 0.1, 'finetune.learnRate', /not a known field/],
    ['finetune.epochs', -1, 'finetune.epochs', /-1/],
    [
      'filter.classifier.apiKeyEnv',
      'my key',
      'filter.classifier.apiKeyEnv',
      /NAME of an environment variable/i,
    ],
    [
      'filter.classifier.baseUrl',
      'http://127.0.0.1:1/v1',
      'filter.classifier.baseUrl',
      /exactly one of baseUrl and baseUrlEnv/,
    ],
    ['evaluate.benchmarks', ['humaneval'], 'evaluate.benchmarks[0]', /"humaneval"/],
    ['distill.holdOutCwes', ['89'], 'distill.holdOutCwes[0]', /CWE-89/],
    ['version', 2, 'version', /2/],
    ['name', 'Quick Run', 'name', /lower case/],
  ])('refuses %s = %j and names the field', async (path, value, field, problem) => {
    const error = refusalOf(await quickWith(path, value));
    expect(error.code).toBe('RECIPE_INVALID');
    expect(error.field).toBe(field);
    expect(error.message).toMatch(problem);
    expect(error.message).toContain('Remedy:');
  });

  it('names every wrong field, not the first alone', async () => {
    const recipe = (await quickWith('finetune.epochs', 0)) as Record<string, Record<string, unknown>>;
    (recipe['evaluate'] as Record<string, unknown>)['samplesPerTask'] = 0;
    const { message } = refusalOf(recipe);
    expect(message).toContain('finetune.epochs');
    expect(message).toContain('evaluate.samplesPerTask');
  });

  it('refuses a pasted key without echoing it', async () => {
    const key = 'sk-proj-0123456789abcdefghijklmnop';
    const error = refusalOf(await quickWith('filter.classifier.apiKeyEnv', key));
    expect(error.code).toBe('SECRET_IN_INPUT');
    expect(error.field).toBe('filter.classifier.apiKeyEnv');
    expect(error.message).not.toContain(key);
    expect(error.message).toContain('rotate');
  });

  it('refuses provenance of a field that does not exist', async () => {
    expect(refusalOf(await quickWith('provenance', { 'finetune.epoch': 'a guess' })).message).toContain(
      'finetune.epoch',
    );
  });

  it('ships the JSON Schemas that the contract makes', async () => {
    for (const [name, schema] of Object.entries(jsonSchemas())) {
      expect(JSON.parse(await readFile(project(`schemas/${name}`), 'utf8'))).toEqual(schema);
    }
  });
});

describe('secrets', () => {
  it.each([
    [{ a: { apiKey: 'anything' } }, ['a.apiKey']],
    [{ list: ['fine', 'hf_abcdefghijklmnopqrstuvwx'] }, ['list[1]']],
    [{ url: 'https://user:pass@example.org/v1' }, ['url']],
    [{ apiKeyEnv: 'OPENAI_API_KEY', maxTokens: 5 }, []],
    [{ uri: 's3://bucket/sk-short' }, []],
  ])('finds %j', (input, paths) => expect(findSecrets(input)).toEqual(paths));

  it('redacts every occurrence', () => {
    expect(redact('a sk-aaaaaaaaaaaaaaaaaaaa b sk-bbbbbbbbbbbbbbbbbbbb')).toBe('a [redacted] b [redacted]');
  });
});

/** Paths of all values that are not objects, e.g. `filter.classifier.model`. */
function leafPaths(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, inner]) =>
    leafPaths(inner, path === '' ? name : `${path}.${name}`),
  );
}

it.each(['paper-qwq-32b.json', 'paper-qwq-32b-injection-only.json'])(
  '%s tells where each value comes from',
  async (file) => {
    const recipe = JSON.parse(await readFile(project(`recipes/${file}`), 'utf8')) as Record<
      string,
      unknown
    > & { provenance: Record<string, string> };
    const told = Object.keys(recipe.provenance);
    const stages = ['filter', 'distill', 'finetune', 'evaluate'].flatMap((stage) =>
      leafPaths(recipe[stage], stage),
    );
    const untold = stages.filter(
      (path) => !told.some((source) => path === source || path.startsWith(`${source}.`)),
    );
    expect(stages.length).toBeGreaterThan(40);
    expect(untold).toEqual([]);
  },
);
