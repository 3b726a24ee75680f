/** The evaluation sets that a dataset was held apart from, loaded once in a process. */
import { z } from 'zod';
import { loadEvaluationTexts, type Decontaminator } from '../services/decontaminate/index.ts';
import type { Deps } from './deps.ts';

/** As it stands in the facts of a dataset's manifest, and of what was made from it. */
export const decontaminatedSchema = z.object({ names: z.array(z.string()), sha256: z.string() });
export type Decontaminated = z.infer<typeof decontaminatedSchema>;

const loaded = new Map<string, Promise<Decontaminator>>();

/** Null where nothing was checked. */
export async function decontaminatorOf(deps: Deps, facts: unknown): Promise<Decontaminator | null> {
  const parsed = decontaminatedSchema.safeParse(facts);
  return parsed.success && parsed.data.names.length > 0
    ? await loadDecontaminator(deps, parsed.data.names)
    : null;
}

export async function loadDecontaminator(
  { paths, environment }: Deps,
  names: readonly string[],
): Promise<Decontaminator> {
  const key = JSON.stringify(names);
  const present = loaded.get(key);
  if (present !== undefined) return await present;
  const loading = loadEvaluationTexts(names, {
    suiteDir: paths.suiteDir,
    baseDir: paths.baseDir,
    environment,
  });
  loaded.set(key, loading);
  // A set that could not be read is looked for again by the next attempt.
  loading.catch(() => loaded.delete(key));
  return await loading;
}
