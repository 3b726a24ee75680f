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

/** Secrets and addresses stay with the workers: an input names their variables. */
export const environmentName = z
  .string()
  .regex(
    /^[A-Z_][A-Z0-9_]{0,127}$/,
    'must be the NAME of an environment variable (upper case, digits, _), never a value',
  );

const MAX_SERIES_BYTES = 85;

/** Name of a history. It becomes a segment of a key, where a byte takes up to three of at most 255 characters. */
export const seriesName = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => name.isWellFormed() && new TextEncoder().encode(name).length <= MAX_SERIES_BYTES, {
    message: `must be well-formed text of at most ${MAX_SERIES_BYTES} bytes in UTF-8`,
  });
