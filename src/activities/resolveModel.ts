/** `registry:NAME` → the exact version that is followed now; any other model is what it says. */
import type { NightActivities } from '../contract/workflows.ts';
import { createRegistry, parseRegistryUri, registryUri } from '../services/registry/index.ts';
import type { Deps } from './deps.ts';

export async function resolveModel(
  { store }: Pick<Deps, 'store'>,
  { uri }: Parameters<NightActivities['resolveModel']>[0],
): ReturnType<NightActivities['resolveModel']> {
  const wanted = parseRegistryUri(uri);
  if (wanted === null) return { uri };
  return { uri: registryUri(await createRegistry(store).resolve(wanted)) };
}
