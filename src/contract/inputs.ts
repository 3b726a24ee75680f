/** The input of each workflow type, in one place: for validation, editors and tests. Pure. */
import type { z } from 'zod';
import { recipeSchema } from './recipe.ts';
import {
  askInputSchema,
  distillInputSchema,
  estimateInputSchema,
  evaluateInputSchema,
  experimentInputSchema,
  filterInputSchema,
  fineTuneInputSchema,
  reevaluateInputSchema,
  refreshInputSchema,
  sweepInputSchema,
  type WorkflowType,
} from './workflows.ts';

export const workflowInputSchemas = {
  secpi: recipeSchema,
  filterDataset: filterInputSchema,
  distillTraces: distillInputSchema,
  fineTune: fineTuneInputSchema,
  sweep: sweepInputSchema,
  evaluateModel: evaluateInputSchema,
  askModel: askInputSchema,
  estimateCost: estimateInputSchema,
  reevaluate: reevaluateInputSchema,
  refreshData: refreshInputSchema,
  experiment: experimentInputSchema,
} as const satisfies Record<WorkflowType, z.ZodType>;
