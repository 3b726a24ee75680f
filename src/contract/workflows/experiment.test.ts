import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from './experiment.ts';

const folder = new URL('../../../recipes/', import.meta.url);
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>;
const base = read('quick.json');

const input = (variants: readonly object[], rest: object = {}) => ({
  version: 1,
  name: 'mine',
  base,
  variants,
  ...rest,
});
const refusal = (given: unknown): string => {
  try {
    parseExperiment(given);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
};

describe('parseExperiment', () => {
  it('gives each variant a whole recipe under a name of its own', () => {
    const { variants, reference, parallel } = parseExperiment(
      input([{ name: 'plain' }, { name: 'seed', changes: { finetune: { seed: 9 } } }]),
    );
    expect([reference, parallel]).toEqual(['plain', 4]);
    expect(variants.map(({ recipe }) => recipe)).toEqual([
      { ...base, name: 'mine.plain', description: 'Variant plain of mine.' },
      {
        ...base,
        name: 'mine.seed',
        description: 'Variant seed of mine.',
        finetune: { ...(base['finetune'] as object), seed: 9 },
      },
    ]);
  });

  it('drops the provenance of what a variant changes, and takes its own', () => {
    const [, changed] = parseExperiment(
      input([
        { name: 'a' },
        {
          name: 'b',
          changes: {
            filter: { calibration: null },
            finetune: { learningRate: 0.1, lora: { rank: 2 } },
            provenance: { 'finetune.lora.rank': 'a try' },
          },
        },
      ]),
    ).variants;
    const { provenance } = (changed?.recipe ?? {}) as { provenance: Record<string, string> };
    expect(provenance).not.toHaveProperty(['finetune.learningRate']);
    expect(provenance['finetune.lora.rank']).toBe('a try');
    expect(provenance['finetune.epochs']).toBe(
      (base['provenance'] as Record<string, string>)['finetune.epochs'],
    );
  });

  const two = [{ name: 'a' }, { name: 'b' }];
  it.each<[string, unknown, string[]]>([
    ['a wrong base', input(two, { base: { ...base, dataset: {} } }), ['base.dataset.uri']],
    [
      'a wrong change',
      input([...two, { name: 'c', changes: { finetune: { epochs: 'many' } } }]),
      ['variants[2] (c)', 'finetune.epochs', '"many"'],
    ],
    [
      'a change that is wrong with what the base has',
      input([{ name: 'a', changes: { finetune: { batchRows: 3 } } }, { name: 'b' }]),
      ['variants[0] (a)', 'finetune.microBatchRows', 'must divide batchRows'],
    ],
    [
      'an unknown field',
      input([{ name: 'a' }, { name: 'b', changes: { distil: { prompt: 'none' } } }]),
      ['variants[1] (b)', 'distil is not a known field', 'did you mean "distill"?'],
    ],
    [
      'provenance of nothing',
      input([{ name: 'a' }, { name: 'b', changes: { provenance: { 'no.field': 'x' } } }]),
      ['variants[1] (b): provenance', 'no.field'],
    ],
    ['one variant', input([{ name: 'a' }]), ['variants']],
    ['two of one name', input([{ name: 'a' }, { name: 'a' }]), ['two variants have the same name']],
    [
      'a reference that is none',
      input(two, { reference: 'c' }),
      ['reference', 'must be the name of a variant'],
    ],
    ['a long name', input([{ name: 'a'.repeat(33) }, { name: 'b' }]), ['variants[0].name', 'at most 32']],
  ])('refuses %s', (_, given, words) => {
    const message = refusal(given);
    for (const word of ['RECIPE_INVALID', ...words]) expect(message).toContain(word);
  });

  it('never echoes what looks like a key', () => {
    const key = 'sk-aaaaaaaaaaaaaaaaaaaaaaaa';
    const message = refusal(
      input([{ name: 'a' }, { name: 'b', changes: { distill: { teacher: { apiKeyEnv: key } } } }]),
    );
    expect(message).toContain('SECRET_IN_INPUT');
    expect(message).not.toContain(key);
  });

  it('accepts the shipped experiments, whose payloads stay small', () => {
    const files = readdirSync(new URL('experiments/', folder)).filter((name) => name.endsWith('.json'));
    expect(files.sort()).toEqual(['paper-matrix.json', 'quick-ablations.json']);
    for (const file of files) {
      const given = read(`experiments/${file}`);
      const { variants } = parseExperiment(given);
      for (const payload of [given, ...variants.map(({ recipe }) => recipe)])
        expect(JSON.stringify(payload).length).toBeLessThan(8192);
    }
  });

  it('compares with the shipped recipes as they are', () => {
    for (const [file, recipe] of [
      ['quick-ablations', 'quick'],
      ['paper-matrix', 'paper-qwq-32b'],
    ]) {
      const { $schema: _, ...shipped } = read(`${recipe}.json`);
      expect(read(`experiments/${file}.json`)['base']).toEqual(shipped);
    }
  });
});
