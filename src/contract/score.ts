/** A measured share. Pure. */
import { z } from 'zod';
import { share } from './recipe/fields.ts';

/** A share with its 95 % interval. `n` counts samples; how many tasks and scenarios stand behind them is said beside. */
export const scoreSchema = z.strictObject({
  value: share,
  low: share,
  high: share,
  n: z.int().nonnegative(),
});
export type Score = z.infer<typeof scoreSchema>;
