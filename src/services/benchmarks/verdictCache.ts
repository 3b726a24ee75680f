/**
 * Verdicts that hold in any run: what decides them is in their key. Written when a sample is graded, so that a killed
 * worker's finished samples are not graded again.
 */
import { z } from 'zod';
import { cweSchema } from '../../contract/rows.ts';
// Not by the store's index, which loads the S3 client.
import { canonicalJson } from '../store/canonicalJson.ts';
import { sha256Hex } from '../store/hash.ts';
import type { ObjectStore } from '../store/index.ts';
import { verdictKey } from '../store/keys.ts';
import type { BenchmarkDriver, DriverGrade, DriverRequest } from './driver.ts';

/** Raised by hand when what is kept of a grade changes its meaning. */
const CACHE_VERSION = 1;

const keptSchema = z.strictObject({
  grade: z.strictObject({
    extractable: z.boolean(),
    functional: z.boolean(),
    secure: z.boolean(),
    unknown: z.boolean(),
    timedOut: z.boolean(),
    reason: z.string(),
    failedTests: z.array(z.string()),
    foundCwes: z.array(cweSchema),
    upstream: z.strictObject({ functional: z.boolean(), secure: z.boolean() }).nullable(),
    code: z.string().nullable(),
    log: z.string(),
  }),
  /** Gradings that it took. */
  attempts: z.int().positive(),
});

export interface Graded {
  readonly grade: DriverGrade;
  readonly attempts: number;
}

export interface VerdictCache {
  get(key: string): Promise<Graded | null>;
  /** The verdict that holds: the first that was written. */
  put(key: string, graded: Graded): Promise<Graded>;
}

export function createVerdictCache(objects: ObjectStore): VerdictCache {
  const get = async (key: string): Promise<Graded | null> => {
    const found = await objects.get(verdictKey(key));
    return found === null ? null : keptSchema.parse(JSON.parse(found.bytes.toString('utf8')));
  };
  return {
    get,
    put: async (key, graded) => {
      const written = await objects.putIfAbsent(verdictKey(key), Buffer.from(JSON.stringify(graded)));
      return written === 'conflict' ? ((await get(key)) ?? graded) : graded;
    },
  };
}

/** For gradings without a store; equal replies are graded once all the same. */
export function createMemoryCache(): VerdictCache {
  const kept = new Map<string, Graded>();
  return {
    get: async (key) => kept.get(key) ?? null,
    put: async (key, graded) => {
      kept.set(key, graded);
      return graded;
    },
  };
}

/** `salt` keeps gradings apart that must not share: a run with reuse "never", a repeat of a reference. */
export function verdictKeyOf(
  driver: BenchmarkDriver,
  testsSha256: string,
  { taskId, reply, limits }: Pick<DriverRequest, 'taskId' | 'reply' | 'limits'>,
  salt: string,
): string {
  return sha256Hex(
    canonicalJson({
      version: CACHE_VERSION,
      benchmark: driver.name,
      versions: driver.versions,
      task: taskId,
      tests: testsSha256,
      limits: { ...limits },
      reply: sha256Hex(reply),
      salt,
    }),
  );
}
