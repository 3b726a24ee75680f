/** Values of the options of `secpi traces`: several by comma or by repetition. Loads little, since --help needs it. */
import { InvalidArgumentError } from 'commander';
import { cweFamilies, cweSelectorSchema } from '../../contract/rows.ts';
import { dataKinds } from '../../services/report/data/kinds.ts';

export function several(text: string, before: readonly string[]): string[] {
  return [...before, ...text.split(',').map((name) => name.trim())].filter((name) => name !== '');
}

export function severalKinds(text: string, before: readonly string[]): string[] {
  const wrong = several(text, []).find((name) => !(dataKinds as readonly string[]).includes(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`Allowed are ${dataKinds.join(', ')}.`);
  return several(text, before);
}

export function severalCwes(text: string, before: readonly string[]): string[] {
  const wrong = several(text, []).find((name) => !cweSelectorSchema.safeParse(name).success);
  if (wrong !== undefined)
    throw new InvalidArgumentError(`It must look like CWE-89, or be one of ${cweFamilies.join(', ')}.`);
  return several(text, before);
}
