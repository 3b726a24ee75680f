/** JSON Schemas of what people write, for editors: made from the zod schemas, so they cannot drift. Pure. */
import { z } from 'zod';
import { recipeSchema } from './recipe.ts';
import {
  askInputSchema,
  distillInputSchema,
  estimateInputSchema,
  evaluateInputSchema,
  filterInputSchema,
  fineTuneInputSchema,
} from './workflows.ts';

const sources = {
  recipe: { schema: recipeSchema, title: 'SecPI recipe: the input of the workflow secpi' },
  filterDataset: { schema: filterInputSchema, title: 'Input of the workflow filterDataset' },
  distillTraces: { schema: distillInputSchema, title: 'Input of the workflow distillTraces' },
  fineTune: { schema: fineTuneInputSchema, title: 'Input of the workflow fineTune' },
  evaluateModel: { schema: evaluateInputSchema, title: 'Input of the workflow evaluateModel' },
  askModel: { schema: askInputSchema, title: 'Input of the workflow askModel' },
  estimateCost: { schema: estimateInputSchema, title: 'Input of the workflow estimateCost' },
} as const;

/** File name → JSON Schema (draft 2020-12), of the input before defaults. */
export function jsonSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, { schema, title }]) => [
      `${name}.schema.json`,
      { title, ...z.toJSONSchema(schema, { io: 'input' }) },
    ]),
  );
}
