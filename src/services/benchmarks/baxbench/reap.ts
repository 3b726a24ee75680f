/** Removes containers and images by their labels: those of one run or driver, or of workers that are gone. */
import { parseOwner, stateOf } from '../../processOwner.ts';
import type { Engine, EngineContainer } from './engine.ts';
import { CACHE_LABEL, OWNER_LABEL } from './labels.ts';

/** What a worker of another machine or PID namespace made is left alone for this long. */
const UNSEEN_DEAD_AFTER_MS = 24 * 60 * 60_000;
const CACHE_KEPT_MS = 30 * 24 * 60 * 60_000;

/** Everything with a label (`name=value`); the one cached image of a build key stays. */
export async function reapLabelled(engine: Engine, label: string): Promise<void> {
  for (const { id } of await engine.containers(label)) await engine.removeContainer(id);
  for (const { id, labels } of await engine.images(label))
    if (labels[CACHE_LABEL] === undefined) await engine.removeImage(id);
}

export interface StaleReport {
  readonly containers: number;
  readonly images: number;
}

/** What workers that were killed left behind. */
export async function reapStale(engine: Engine): Promise<StaleReport> {
  const containers = await left(await engine.containers(OWNER_LABEL));
  for (const { id } of containers) await engine.removeContainer(id);
  const cached = new Set<string>();
  let images = 0;
  const newestFirst = (await engine.images(OWNER_LABEL)).toSorted((a, b) => b.createdMs - a.createdMs);
  for (const image of newestFirst) {
    const key = image.labels[CACHE_LABEL];
    const isKept = key !== undefined && !cached.has(key) && Date.now() - image.createdMs < CACHE_KEPT_MS;
    if (key !== undefined && isKept) cached.add(key);
    if (isKept || (await left([image])).length === 0) continue;
    await engine.removeImage(image.id);
    images += 1;
  }
  return { containers: containers.length, images };
}

/** Build keys of which an image is kept, whoever made it. */
export async function cachedBuilds(engine: Engine): Promise<Set<string>> {
  return new Set(
    (await engine.images(CACHE_LABEL)).flatMap(({ labels }) => {
      const key = labels[CACHE_LABEL];
      return key === undefined ? [] : [key];
    }),
  );
}

async function left(things: readonly EngineContainer[]): Promise<EngineContainer[]> {
  const found: EngineContainer[] = [];
  for (const thing of things) {
    const owner = parseOwner(thing.labels[OWNER_LABEL] ?? '');
    const state = owner === null ? 'unknown' : await stateOf(owner);
    if (state === 'dead' || (state === 'unknown' && Date.now() - thing.createdMs > UNSEEN_DEAD_AFTER_MS))
      found.push(thing);
  }
  return found;
}
