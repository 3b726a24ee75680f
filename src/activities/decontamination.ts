/** The evaluation sets that a dataset was held apart from. */
import { z } from 'zod';
import { loadEvaluationTexts, type Decontaminator } from '../services/decontaminate/index.ts';
import type { Deps } from './deps.ts';

/** As it stands in the facts of a dataset's manifest, and of what was made from it. */
const decontaminatedSchema = z.object({ names: z.array(z.string()), sha256: z.string() });

/** For the shards of distil, by the content that the dataset was compared with. */
const loaded = new Map<string, Promise<Decontaminator>>();

/** Null where nothing was checked. Loaded once for all shards of a process. */
export async function decontaminatorOf(deps: Deps, facts: unknown): Promise<Decontaminator | null> {
  const parsed = decontaminatedSchema.safeParse(facts);
  if (!parsed.success || parsed.data.names.length === 0) return null;
  const { names, sha256 } = parsed.data;
  const present = loaded.get(sha256);
  if (present !== undefined) return await present;
  const loading = loadDecontaminator(deps, names);
  loaded.set(sha256, loading);
  // A set that could not be read is looked for again by the next attempt.
  loading.catch(() => loaded.delete(sha256));
  return await loading;
}

/** As the sets are now. */
export async function loadDecontaminator(
  { paths, environment }: Deps,
  names: readonly string[],
): Promise<Decontaminator> {
  const { suiteDir, baseDir } = paths;
  return await loadEvaluationTexts(names, { suiteDir, baseDir, environment });
}
