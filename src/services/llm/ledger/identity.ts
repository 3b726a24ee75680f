/** What a space is the hash of, in plain words beside its answers: so that a stage can say what other prompts know. */
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { samplingSchema } from '../../../contract/recipe.ts';
import { canonicalJson } from '../../store/canonicalJson.ts';
import { allAnswersPrefix, answersIdentityKey, decodeName } from '../../store/keys.ts';
import type { ObjectStore } from '../../store/objectStore.ts';

export const spaceIdentitySchema = z.object({
  model: z.string(),
  revision: z.string(),
  promptVersion: z.string(),
  sampling: samplingSchema,
});
export type SpaceIdentity = z.infer<typeof spaceIdentitySchema>;

/** Writes it unless it is there. Throws BLOB_CORRUPT when another is. */
export async function recordIdentity(
  objects: Pick<ObjectStore, 'putIfAbsent'>,
  space: string,
  identity: SpaceIdentity,
): Promise<void> {
  const { model, revision, promptVersion, sampling } = identity;
  const key = answersIdentityKey(space);
  const bytes = Buffer.from(canonicalJson({ model, revision, promptVersion, sampling }));
  if ((await objects.putIfAbsent(key, bytes)) !== 'conflict') return;
  throw new SecpiError('BLOB_CORRUPT', `${key} does not hold what its answers were paid for.`, {
    remedy: 'Delete that object: it is written again.',
  });
}

/** The spaces that answers were paid for in, by key. */
export async function listSpaces(
  objects: Pick<ObjectStore, 'get' | 'list'>,
): Promise<{ readonly space: string; readonly identity: SpaceIdentity }[]> {
  const spaces: { space: string; identity: SpaceIdentity }[] = [];
  for await (const { key } of objects.list(allAnswersPrefix)) {
    const [segment = '', file] = key.slice(allAnswersPrefix.length).split('/');
    if (file !== 'identity.json') continue;
    const object = await objects.get(key);
    if (object !== null) spaces.push({ space: decodeName(segment), identity: parse(object.bytes, key) });
  }
  return spaces;
}

function parse(bytes: Buffer, key: string): SpaceIdentity {
  try {
    return spaceIdentitySchema.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw new SecpiError('BLOB_CORRUPT', `${key} names no model and prompt: ${messageOf(error)}.`, {
      remedy: 'Delete that object: it is written again.',
      cause: error,
    });
  }
}
