/** Where BaxBench keeps a sample: results/<model>/<scenario>/<env>/temp<t>-<spec>-<safety prompt>/sample<i>/. Pure. */
import { join } from 'node:path';
import { promptVariants, type PromptVariant } from '../../../contract/benchmarkNames.ts';
import { folderName } from './catalogue.ts';

export const specs = ['openapi', 'text'] as const;
export type Spec = (typeof specs)[number];

export interface Configuration {
  readonly temperature: number;
  readonly spec: Spec;
  readonly variant: PromptVariant;
}

export interface SamplePlace extends Configuration {
  readonly model: string;
  /** `<scenario>/<env>`, as our task ids are. */
  readonly taskId: string;
  readonly sample: number;
}

export const CODE_FOLDER = 'code';
/** In the code folder of a reply in which no code was found. */
export const FAILED_FILE = 'failed';
export const RESULTS_FILE = 'test_results.json';
export const LOG_FILE = 'test.log';

export function sampleFolder(resultsDir: string, place: SamplePlace): string {
  return join(
    resultsDir,
    modelFolder(place.model),
    place.taskId,
    formatConfiguration(place),
    `sample${place.sample}`,
  );
}

/** `org/name` is `org-name`; a name of dots alone would lead elsewhere. */
function modelFolder(model: string): string {
  return /^\.*$/.test(model) ? `_${model}` : folderName(model);
}

export function formatConfiguration({ temperature, spec, variant }: Configuration): string {
  return `temp${formatFloat(temperature)}-${spec}-${variant}`;
}

/** Null for the name of a folder that BaxBench did not make. */
export function parseConfiguration(name: string): Configuration | null {
  const [, temperature, specName, variantName] = /^temp(\d+(?:\.\d+)?)-([a-z]+)-([a-z]+)$/.exec(name) ?? [];
  const spec = specs.find((known) => known === specName);
  const variant = promptVariants.find((known) => known === variantName);
  if (temperature === undefined || spec === undefined || variant === undefined) return null;
  return { temperature: Number(temperature), spec, variant };
}

/** As Python prints a float. */
export function formatFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
