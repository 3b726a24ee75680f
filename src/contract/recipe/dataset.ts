/** Where tasks come from. */
import { z } from 'zod';

export const datasetSchema = z.strictObject({
  /**
   * A file or a folder in Hugging Face style (README.md, data/*.parquet or *.jsonl): `s3://bucket/key`, or a path that
   * the data worker can read (relative to its working directory).
   */
  uri: z.string().min(1).max(2048),
  format: z.enum(['jsonl', 'json', 'parquet']).optional(),
  name: z.string().min(1).max(128).optional(),
  /** Licence of the source, recorded with everything made from it. */
  license: z.string().min(1).max(256).optional(),
  /** Names of the fields to read; the first of the well-known ones is taken where not given. */
  fields: z
    .strictObject({
      task: z.string().min(1).optional(),
      /** Appended to the task where not empty (Alpaca's `input`). */
      context: z.string().min(1).optional(),
      id: z.string().min(1).optional(),
      language: z.string().min(1).optional(),
      /** Tests of the row's own (pytest for Python, `node:test` for JavaScript), run against traces. */
      tests: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Near-duplicates by MinHash over word 5-grams; similarities are Jaccard's. */
  nearDuplicates: z
    .strictObject({
      /** Of rows at least this similar only the first stays; 1 removes exact duplicates only. */
      removeFrom: z.number().gt(0).max(1).default(0.85),
      /** Rows at least this similar are one group, which no split tears apart. */
      groupFrom: z.number().gt(0).max(1).default(0.6),
    })
    .refine(({ removeFrom, groupFrom }) => groupFrom <= removeFrom, {
      message: 'must not be above removeFrom',
      path: ['groupFrom'],
    })
    .prefault({}),
  /**
   * Rows that a benchmark holds are left out: `suite`, `cweval` or `baxbench` (the worker's CWEVAL_HOME, BAXBENCH_HOME),
   * or the path of a JSON Lines file of texts.
   */
  decontaminate: z.array(z.string().min(1).max(1024)).max(16).default(['suite']),
  /** Rows longer than this go to the dead letters. */
  maxTaskCharacters: z.int().min(100).max(10_000_000).default(20_000),
  /** Only the first rows, for trials. */
  limitRows: z.int().positive().optional(),
});
export type Dataset = z.infer<typeof datasetSchema>;
