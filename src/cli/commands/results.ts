/** `secpi results EVALUATION --out FOLDER`: samples and verdicts as the benchmark's own tools read them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { benchmarkNames } from '../../contract/benchmarkNames.ts';
import { SecpiError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { evaluateSchema, samplingSchema } from '../../contract/recipe.ts';
import { sampleRowSchema, verdictRowSchema, type SampleRow, type VerdictRow } from '../../contract/rows.ts';
import {
  openCheckout,
  readCatalogue,
  writeBaxbenchResults,
} from '../../services/benchmarks/baxbench/index.ts';
import { writeUpstreamResults } from '../../services/benchmarks/cweval/index.ts';
import { readRows, type Store } from '../../services/store/index.ts';
import { localHost } from '../localHost.ts';
import { withStore } from '../withStore.ts';

export interface ResultsOptions {
  readonly out: string;
  /** How BaxBench calls the model's folder. */
  readonly model: string;
  readonly json: boolean;
}

const factsSchema = z.looseObject({
  benchmark: z.enum(benchmarkNames),
  versions: z.record(z.string(), z.string()).default({}),
});

export async function results(uri: string, options: ResultsOptions): Promise<number> {
  return await withStore(async (store) => {
    const evaluation = await store.artifacts.readByUri(uri.replace(/\/$/u, ''));
    if (evaluation.kind !== 'evaluation')
      throw new SecpiError('ARTIFACT_NOT_FOUND', `${uri} is of the kind "${evaluation.kind}".`, {
        remedy: 'Name an evaluation: the `artifact` of a benchmark in the result of evaluateModel.',
      });
    const { benchmark } = factsSchema.parse(evaluation.facts);
    const generation = await store.artifacts.readByUri(
      evaluation.inputs.find(({ name }) => name === 'generation')?.uri ?? '',
    );
    const [verdicts, samples] = await Promise.all([
      readVerdicts(store, evaluation),
      readSamples(store, generation),
    ]);
    const dir = resolve(options.out);
    if (benchmark === 'baxbench')
      await writeForBaxbench({ dir, model: options.model, evaluation, generation }, verdicts, samples);
    else await writeForCweval(dir, verdicts, samples);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ folder: dir, benchmark, samples: verdicts.length })}\n`
        : `${dir}: ${verdicts.length} samples of ${benchmark}\n`,
    );
  });
}

async function readVerdicts(store: Store, { parts }: Manifest): Promise<VerdictRow[]> {
  return await Array.fromAsync(readRows(store.blobs, parts['verdicts'] ?? [], {}, verdictRowSchema));
}

async function readSamples(store: Store, { parts }: Manifest): Promise<Map<number, SampleRow>> {
  const rows = await Array.fromAsync(readRows(store.blobs, parts['samples'] ?? [], {}, sampleRowSchema));
  return new Map(rows.map((row) => [row.index, row]));
}

/** Of the first prompt variant: CWEval's layout has no place for others. */
async function writeForCweval(
  dir: string,
  verdicts: readonly VerdictRow[],
  samples: ReadonlyMap<number, SampleRow>,
): Promise<void> {
  const variant = verdicts[0]?.variant;
  const shown = verdicts.filter((verdict) => verdict.variant === variant);
  for (const { index, taskId, sample } of shown) {
    const ending = taskId.split('/').at(-2) ?? 'txt';
    const file = join(dir, `generated_${sample}`, `${taskId}_raw.${ending}`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, samples.get(index)?.reply ?? '');
  }
  await writeUpstreamResults(dir, shown);
}

async function writeForBaxbench(
  {
    dir,
    model,
    evaluation,
    generation,
  }: {
    readonly dir: string;
    readonly model: string;
    readonly evaluation: Manifest;
    readonly generation: Manifest;
  },
  verdicts: readonly VerdictRow[],
  samples: ReadonlyMap<number, SampleRow>,
): Promise<void> {
  const { environment } = localHost();
  const { temperature } = samplingSchema.parse(generation.fingerprintOf['sampling']);
  const { spec } = factsSchema.parse(evaluation.facts).versions;
  const catalogue = await readCatalogue({
    checkout: await openCheckout(environment['BAXBENCH_HOME']),
    python: environment['BAXBENCH_PYTHON'] ?? 'python3',
    settings: evaluateSchema.parse({ baxbench: { spec } }),
  });
  await writeBaxbenchResults(
    { dir, model, temperature, catalogue },
    verdicts.map((verdict) => ({ verdict, reply: samples.get(verdict.index)?.reply ?? null })),
  );
}
