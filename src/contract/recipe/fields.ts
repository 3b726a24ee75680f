/** What several parts of a recipe are made of. */
import { z } from 'zod';

export const share = z.number().min(0).max(1);

export const languageNames = z
  .array(z.string().regex(/^[a-z0-9+#.-]{1,32}$/, 'must be a language in lower case, e.g. "python" or "c++"'))
  .max(100)
  .default([]);

/** Name of a class of GPU workers: their queue is `secpi-gpu-NAME`. */
export const gpuClass = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'must be lower case letters, digits, "." and "-" (at most 63)');
