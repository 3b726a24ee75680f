/**
 * The recipe: the validated, versioned input of a run. No secrets: keys are named by environment variable.
 * Defaults are this project's own and are not the papers' (those are not public, see docs/method.md).
 */
import { z } from 'zod';
import { budgetSchema, distillSchema, filterSchema } from './recipe/data.ts';
import { datasetSchema } from './recipe/dataset.ts';
import { evaluateSchema } from './recipe/evaluate.ts';
import { finetuneSchema } from './recipe/finetune.ts';

export * from './recipe/data.ts';
export * from './recipe/dataset.ts';
export * from './recipe/endpoint.ts';
export * from './recipe/evaluate.ts';
export * from './recipe/finetune.ts';

export const reuseSchema = z.enum(['always', 'never']).default('always');

export const recipeSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, ".", "_", "-" (at most 64)'),
  description: z.string().max(2000).optional(),
  dataset: datasetSchema,
  filter: filterSchema,
  distill: distillSchema,
  finetune: finetuneSchema,
  evaluate: evaluateSchema,
  budget: budgetSchema.optional(),
  /** "never" makes every artefact anew and publishes it under a fingerprint of its own. */
  reuse: reuseSchema,
  /** Where a value comes from, by its path in the recipe, e.g. {"finetune.epochs": "…"}. */
  provenance: z.record(z.string(), z.string().min(1)).default({}),
});
export type Recipe = z.infer<typeof recipeSchema>;
/** A recipe as it is written, before defaults. */
export type RecipeInput = z.input<typeof recipeSchema>;
