/** A finished model → an entry of the registry, and perhaps the name's current version. Safe to repeat. */
import type { ControlActivities } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import {
  createRegistry,
  describeModel,
  judge,
  type Actor,
  type ModelEntry,
  type Registry,
} from '../services/registry/index.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

/** Each round lost means that another version was promoted. */
const MAX_ROUNDS = 16;

type RegisterInput = Parameters<ControlActivities['registerModel']>[0];
type Registered = Awaited<ReturnType<ControlActivities['registerModel']>>;

export async function registerModel(
  { store }: Pick<Deps, 'store'>,
  run: Pick<ActivityRun, 'owner'>,
  { artifact, register }: RegisterInput,
): Promise<Registered> {
  const registry = createRegistry(store);
  const { workflowId, runId } = run.owner;
  const by: Actor = { kind: 'run', workflowId, runId };
  const entry = await registry.enter(
    await describeModel(store, registry, { name: register.name, artifact, by }),
  );
  const { promoted, reason } = await promote(registry, entry, by, register.promote);
  return { name: entry.name, version: entry.version, promoted, reason };
}

interface Promotion {
  readonly promoted: boolean;
  readonly reason: string;
}

async function promote(
  registry: Registry,
  entry: ModelEntry,
  by: Actor,
  policy: RegisterInput['register']['promote'],
): Promise<Promotion> {
  const { name, version } = entry;
  if (policy === 'never') return { promoted: false, reason: '' };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const current = await registry.current(name);
    if (current?.version === version) return { promoted: true, reason: '' };
    const from = current?.version ?? null;
    const holding = from === null ? null : await registry.read(name, from);
    const { better, reason } = policy === 'always' ? { better: true, reason: '' } : judge(entry, holding);
    if (!better) return { promoted: false, reason };
    try {
      await registry.promote({ name, version, by, from });
      return { promoted: true, reason };
    } catch (error) {
      if (!(error instanceof SecpiError) || error.code !== 'PROMOTION_CONFLICT') throw error;
      // Two runs that both want the place are in order as they came: the first stays. Who must be better looks again.
      if (policy === 'always') return { promoted: false, reason: error.problem };
    }
  }
  throw new SecpiError(
    'PROMOTION_CONFLICT',
    `others were promoted ${MAX_ROUNDS} times in a row while ${name}@${version} was compared.`,
  );
}
