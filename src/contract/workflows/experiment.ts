/** The workflow `experiment`: variants of one recipe, each a run of its own, compared in one report. */
import { z } from 'zod';
import { SecpiError } from '../errors.ts';
import { mergePatch, touches, type Json } from '../mergePatch.ts';
import { describeIssues, parseInput, parseRecipe } from '../parse.ts';
import { budgetSchema, recipeSchema, type Budget, type Recipe } from '../recipe.ts';
import { reportFilesSchema, type ReportFiles } from './results.ts';

/** The longest names of experiment and variant make, with a dot, the longest name of a recipe. */
const MAX_EXPERIMENT_NAME = 31;
const MAX_VARIANT_NAME = 32;
const nameOf = (max: number): z.ZodString =>
  z
    .string()
    .regex(
      new RegExp(`^[a-z0-9][a-z0-9._-]{0,${max - 1}}$`),
      `must be lower case letters, digits, ".", "_", "-" (at most ${max})`,
    );

export const variantSchema = z.strictObject({
  name: nameOf(MAX_VARIANT_NAME).refine(
    (name) => name !== 'report',
    'is the name of the stage that compares them',
  ),
  /** What it changes of the base: a JSON merge patch (RFC 7386), so null takes a field away; {} is the base itself. */
  changes: z.record(z.string(), z.json()).default({}),
});
export type Variant = z.infer<typeof variantSchema>;

export const experimentInputSchema = z
  .strictObject({
    $schema: z.string().optional(),
    version: z.literal(1),
    name: nameOf(MAX_EXPERIMENT_NAME),
    description: z.string().max(2000).optional(),
    /** A whole recipe. */
    base: recipeSchema,
    variants: z
      .array(variantSchema)
      .min(2)
      // Their outcomes travel as one payload of at most 8 KB.
      .max(20)
      .refine((variants) => new Set(variants.map(({ name }) => name)).size === variants.length, {
        message: 'two variants have the same name',
      }),
    /** Variants worked on at the same time; workers bound it too. */
    parallel: z.int().min(1).max(20).default(4),
    /** One cap for all variants together, instead of the caps of their recipes. */
    budget: budgetSchema.optional(),
    /** The variant that the others are compared with; the first where not given. */
    reference: z.string().optional(),
  })
  .refine(
    ({ variants, reference }) => reference === undefined || variants.some(({ name }) => name === reference),
    { message: 'must be the name of a variant', path: ['reference'] },
  );

export interface ExperimentVariant {
  readonly name: string;
  readonly changes: Variant['changes'];
  /** As it is written, before defaults: the input of its run. */
  readonly recipe: Json;
}

export interface Experiment {
  readonly name: string;
  readonly description: string | undefined;
  readonly base: Recipe;
  readonly variants: readonly ExperimentVariant[];
  readonly parallel: number;
  /** Null: each recipe's own. */
  readonly budget: Budget | null;
  readonly reference: string;
}

/** Throws RECIPE_INVALID, naming the variant and the field of its merged recipe, or SECRET_IN_INPUT. */
export function parseExperiment(input: unknown): Experiment {
  const { name, description, base, variants, parallel, budget, reference } = parseInput(
    experimentInputSchema,
    input,
  );
  parseVariant(base, 'base');
  const written = z.object({ base: z.json() }).parse(input).base;
  return {
    name,
    description,
    base,
    variants: variants.map((variant, index) => {
      const recipe = variantRecipe(written, name, variant);
      parseVariant(recipe, `variants[${index}] (${variant.name})`);
      return { ...variant, recipe };
    }),
    parallel,
    budget: budget ?? null,
    reference: reference ?? variants[0]?.name ?? '',
  };
}

/** The base with the changes laid over it, under a name of its own; where a changed value came from holds no more. */
export function variantRecipe(base: Json, experiment: string, { name, changes }: Variant): Json {
  const named = {
    name: `${experiment}.${name}`,
    description: `Variant ${name} of ${experiment}.`,
    ...changes,
  };
  const told = z.object({ provenance: z.record(z.string(), z.json()).default({}) }).parse(base).provenance;
  const kept = Object.entries(told).filter(([path]) => !touches(changes, path.split('.')));
  return mergePatch(mergePatch(base, { provenance: null }), {
    ...named,
    provenance: mergePatch(Object.fromEntries(kept), changes['provenance'] ?? {}),
  });
}

/** Fields are those of the merged recipe: what a change makes wrong may stand in the base. */
function parseVariant(recipe: unknown, where: string): void {
  const parsed = recipeSchema.safeParse(recipe);
  if (!parsed.success) {
    const problems = describeIssues(parsed.error, recipe, recipeSchema).map(
      ({ field, problem }) => `${field} ${problem}`,
    );
    throw new SecpiError('RECIPE_INVALID', `the recipe does not hold: ${problems.join('; ')}.`, {
      field: where,
    });
  }
  try {
    parseRecipe(recipe);
  } catch (cause) {
    if (!(cause instanceof SecpiError)) throw cause;
    const field = cause.field === undefined ? where : `${where}: ${cause.field}`;
    throw new SecpiError(cause.code, cause.problem, { field, remedy: cause.remedy, cause });
  }
}

/** A score with its 95 % interval, without the rest. */
const intervalSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

export const experimentLineSchema = z.strictObject({
  name: z.string(),
  /** Of the headline's measure, after training; null where the variant failed. */
  score: intervalSchema.nullable(),
  /** Against the reference, paired by task, in shares; null for the reference and where nothing can be compared. */
  difference: intervalSchema
    .extend({
      pValue: z.number(),
      /** By Holm's method over all variants that were planned. */
      adjustedPValue: z.number(),
    })
    .nullable(),
  costUsd: z.number().nonnegative(),
  /** Stages that were made by another run, of five. */
  reusedStages: z.int().nonnegative(),
  /** Code and problem of one that failed. */
  error: z.string().nullable(),
});
export type ExperimentLine = z.infer<typeof experimentLineSchema>;

export const experimentResultSchema = reportFilesSchema.extend({
  /** In the order of the input. The report holds everything else. */
  variants: z.array(experimentLineSchema),
  reference: z.string(),
  /** What `score` is: of a benchmark without security tests, `func`. */
  measure: z.enum(['funcSec', 'func']),
  costUsd: z.number().nonnegative(),
});
export type ExperimentResult = z.infer<typeof experimentResultSchema>;

/** What became of a variant's run. */
export type VariantOutcome =
  | { readonly name: string; readonly workflowId: string; readonly summary: ReportFiles['summary'] }
  | {
      readonly name: string;
      readonly workflowId: string;
      readonly error: string;
      /** As told until it failed. */
      readonly costUsd: number;
    };

export interface ExperimentReportInput {
  readonly name: string;
  readonly description: string | null;
  readonly reference: string;
  readonly startedAt: string;
  /** What each variant changes, as it was written. */
  readonly changes: Readonly<Record<string, Variant['changes']>>;
  readonly outcomes: readonly VariantOutcome[];
}

/** Queue `secpi`. */
export interface ExperimentActivities {
  /** Reads the summaries and verdicts of the variants, compares them, and writes the three files. */
  writeExperimentReport(input: ExperimentReportInput): Promise<ExperimentResult>;
}
