/** An evaluation as a side of a comparison: what its artefacts say of the tasks, the sampling and the model. */
import { z } from 'zod';
import type { ReportedEvaluation } from '../../contract/activities.ts';
import { benchmarkNames, promptVariants, type PromptVariant } from '../../contract/benchmarkNames.ts';
import { SecpiError } from '../../contract/errors.ts';
import { samplingSchema, type Sampling } from '../../contract/recipe.ts';
import type { Store } from '../../services/store/index.ts';

export interface Evaluated {
  /** How the person named it, or what the artefact says. */
  readonly label: string;
  readonly model: string;
  readonly sampling: Sampling;
  readonly samplesPerTask: number;
  readonly variants: readonly PromptVariant[];
  readonly k: number;
  readonly benchmarks: ReportedEvaluation['benchmarks'];
}

const evaluationSchema = z.looseObject({ benchmark: z.enum(benchmarkNames) });
const gradedSchema = z.looseObject({ k: z.int().positive().default(1) });
const askedSchema = z.looseObject({
  samplesPerTask: z.int().positive(),
  promptVariants: z.array(z.enum(promptVariants)).min(1),
  sampling: samplingSchema,
});

/** Of the gradings of one model, a benchmark each. Throws ARTIFACT_NOT_FOUND, SAMPLES_INVALID. */
export async function readEvaluated(
  store: Store,
  uris: readonly string[],
  named: { readonly label: string; readonly field: string },
): Promise<Evaluated> {
  const read = await Promise.all(uris.map(async (uri) => await readOne(store, uri, named.field)));
  const [first] = read;
  if (first === undefined)
    throw new SecpiError('ARTIFACT_NOT_FOUND', `${named.label} names no evaluation.`, { field: named.field });
  const { model, sampling, samplesPerTask, variants, k } = first;
  return {
    label: named.label,
    model,
    sampling,
    samplesPerTask,
    variants,
    k,
    benchmarks: read.map(({ benchmark }) => benchmark),
  };
}

async function readOne(store: Store, uri: string, field: string) {
  const evaluation = await store.artifacts.readByUri(uri.replace(/\/$/u, ''));
  if (evaluation.kind !== 'evaluation')
    throw new SecpiError('ARTIFACT_NOT_FOUND', `${uri} is of the kind "${evaluation.kind}".`, {
      field,
      remedy: 'Name an evaluation: the `artifact` of a benchmark in the result of evaluateModel.',
    });
  const inputOf = (name: string): string => evaluation.inputs.find((input) => input.name === name)?.uri ?? '';
  const generation = await store.artifacts.readByUri(inputOf('generation'));
  const asked = askedSchema.parse(generation.fingerprintOf);
  const { model } = generation.facts;
  return {
    model: typeof model === 'string' ? model : uri,
    sampling: asked.sampling,
    samplesPerTask: asked.samplesPerTask,
    variants: asked.promptVariants,
    k: gradedSchema.parse(evaluation.fingerprintOf).k,
    benchmark: {
      name: evaluationSchema.parse(evaluation.facts).benchmark,
      benchmark: inputOf('benchmark'),
      generation: inputOf('generation'),
      artifact: uri,
      seconds: evaluation.seconds,
      reused: true,
      rows: evaluation.rows,
      costUsd: generation.usage.costUsd,
    },
  };
}

/** The two on the benchmarks that both were asked. Throws SAMPLES_INVALID where nothing can be paired by task. */
export function pairUp(a: Evaluated, b: Evaluated): readonly [Evaluated, Evaluated] {
  const common = a.benchmarks.filter(({ name }) => b.benchmarks.some((other) => other.name === name));
  if (common.length === 0)
    throw notComparable(`${a.label} is about ${namesOf(a)}, ${b.label} about ${namesOf(b)}.`);
  for (const { name, benchmark } of common) {
    if (b.benchmarks.find((other) => other.name === name)?.benchmark !== benchmark)
      throw notComparable(`they were asked different tasks or prompts of ${name}.`);
  }
  const design = ({ samplesPerTask, variants }: Evaluated): string =>
    `${samplesPerTask} samples a task, prompts ${variants.join(', ')}`;
  if (design(a) !== design(b))
    throw notComparable(`${a.label} has ${design(a)}; ${b.label} has ${design(b)}.`);
  const names = new Set(common.map(({ name }) => name));
  const kept = b.benchmarks.filter(({ name }) => names.has(name));
  return [
    { ...a, benchmarks: common },
    { ...b, benchmarks: kept },
  ];
}

function namesOf({ benchmarks }: Evaluated): string {
  return benchmarks.map(({ name }) => name).join(', ');
}

function notComparable(problem: string): SecpiError {
  return new SecpiError('SAMPLES_INVALID', `the two cannot be paired by task: ${problem}`, {
    field: 'A, B',
    remedy: 'Give two evaluations of the same benchmark with equal samplesPerTask and promptVariants.',
  });
}
