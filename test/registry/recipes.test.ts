/** The recipes for GPUs and the sweep: valid, and each value of the training with its origin. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseInput, parseRecipe } from '../../src/contract/parse.ts';
import { fineTuneInputSchema, sweepInputSchema } from '../../src/contract/workflows.ts';
import { projectRoot } from '../../src/cli/settings.ts';

const read = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(join(projectRoot, 'recipes', file), 'utf8'));

function leaves(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`));
}

it('each value of a training says where it comes from', async () => {
  const files = (await readdir(join(projectRoot, 'recipes/gpu'))).filter((name) => name.endsWith('.json'));
  expect(files.sort()).toEqual([
    'full-7b.json',
    'lora-32b.json',
    'lora-7b.json',
    'qlora-32b.json',
    'qlora-7b.json',
  ]);
  for (const file of files) {
    const input = await read(`gpu/${file}`);
    const { name, finetune, provenance } = parseRecipe(input);
    expect(`${name}.json`).toBe(file);
    expect(finetune.method).toBe(name.split('-')[0]);
    const told = Object.keys(provenance);
    const written = leaves((input as { finetune: unknown }).finetune, 'finetune');
    expect(written.filter((path) => !told.some((by) => path === by || path.startsWith(`${by}.`)))).toEqual(
      [],
    );
  }
});

it('a sweep changes what it compares, and nothing that the losses depend on', async () => {
  const { trainings } = parseInput(sweepInputSchema, await read('stages/sweep.json'));
  const { finetune } = parseInput(fineTuneInputSchema, await read('stages/fine-tune.json'));
  expect(new Set(trainings.map(({ finetune: settings }) => JSON.stringify(settings))).size).toBe(
    trainings.length,
  );
  for (const { finetune: settings } of trainings)
    for (const field of ['model', 'evalShare', 'seed', 'maxSequenceTokens', 'longRows'] as const)
      expect(settings[field]).toEqual(finetune[field]);
});
