/** docs/training.md describes every field of `finetune`, with its default as the contract has it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { finetuneSchema } from '../../src/contract/recipe.ts';
import { projectRoot } from '../../src/cli/settings.ts';

/** Paths that have no default value in the parsed settings. */
const WITHOUT_DEFAULT = [
  'gpu.class',
  'gpu.onDemandAfter',
  'gpu.onDemandClass',
  'model.license',
  'model.revision',
  'model.uri',
  'register.name',
  'register.promote',
];

function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner, path === '' ? name : `${path}.${name}`),
  );
}

/** Rows of the tables: field → default. */
async function documented(): Promise<Map<string, string>> {
  const text = await readFile(join(projectRoot, 'docs/training.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w.]+)` *\|[^|]*\| *([^|]*?) *\|/gmu)];
  return new Map(rows.map(([, field = '', value = '']) => [field, value.replaceAll('`', '')]));
}

it('names each field with its default', async () => {
  const { model: _, ...settings } = finetuneSchema.parse({ model: { uri: 'embedded:x' } });
  const inCode = new Map(leaves(settings).map(([path, value]) => [path, String(value)]));
  const inDocs = await documented();
  for (const [field, value] of inCode) expect([field, inDocs.get(field)]).toEqual([field, value]);
  expect([...inDocs.keys()].filter((field) => !inCode.has(field)).sort()).toEqual(WITHOUT_DEFAULT);
  expect(finetuneSchema.parse({ model: { uri: 'x' }, register: { name: 'x' } }).register?.promote).toBe(
    inDocs.get('register.promote'),
  );
});
