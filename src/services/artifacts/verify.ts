/** Reads back what is published, every byte against its SHA-256. */
import { SecpiError } from '../../contract/errors.ts';
import { checkpointManifestSchema } from '../../contract/manifest.ts';
import type { BlobRef } from '../../contract/refs.ts';
import { sha256Hex, type Store } from '../store/index.ts';
import { isDamage } from '../store/blobs.ts';
import { parseStored } from '../store/heads.ts';
import { mapLimit } from '../store/parallel.ts';
import { listArtifacts } from './list.ts';

export interface Verified {
  /** Of an artefact, or of a training whose checkpoints were read. */
  readonly uri: string;
  readonly blobs: number;
  readonly bytes: number;
  /** Empty where all is well. */
  readonly problems: readonly string[];
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** Called with each that is done. */
  readonly onVerified?: (verified: Verified) => Promise<void>;
}

const BLOBS_AT_ONCE = 4;

/**
 * The artefacts named, or all that are published and the checkpoints of all trainings. A blob that several share is
 * read once. Throws ARTIFACT_NOT_FOUND for a uri that names none, and STORE_UNAVAILABLE for an outage: that is no damage.
 */
export async function verifyArtifacts(
  store: Store,
  uris: readonly string[],
  { signal, onVerified = () => Promise.resolve() }: VerifyOptions = {},
): Promise<Verified[]> {
  const found = new Map<string, string | null>();
  const problemOf = async (ref: BlobRef): Promise<string | null> => {
    const known = found.get(ref.sha256);
    if (known !== undefined) return known;
    const problem = await damageIn(async () => await store.blobs.verify(ref, signal));
    found.set(ref.sha256, problem);
    return problem;
  };
  const verify = async (uri: string, refs: () => Promise<readonly BlobRef[]>): Promise<Verified> => {
    let unique: BlobRef[] = [];
    const unreadable = await damageIn(async () => {
      unique = [...new Map((await refs()).map((ref) => [ref.sha256, ref])).values()];
    });
    const problems = await mapLimit(unique, BLOBS_AT_ONCE, problemOf);
    const verified = {
      uri,
      blobs: unique.length,
      bytes: unique.reduce((sum, { bytes }) => sum + bytes, 0),
      problems: [unreadable, ...problems].filter((problem) => problem !== null),
    };
    await onVerified(verified);
    return verified;
  };

  const results: Verified[] = [];
  const isAll = uris.length === 0;
  for (const uri of isAll ? await publishedUris(store) : uris)
    results.push(await verify(uri, async () => await blobsOfArtifact(store, uri)));
  for (const fingerprint of isAll ? await trainingsOf(store) : [])
    results.push(
      await verify(
        store.objects.uriOf(`trainings/${fingerprint}`),
        async () => await blobsOfTraining(store, fingerprint),
      ),
    );
  return results;
}

async function publishedUris(store: Store): Promise<string[]> {
  const listed = await listArtifacts(store);
  return listed.filter(({ state }) => state !== 'building').map(({ uri }) => uri);
}

async function blobsOfArtifact({ artifacts }: Store, uri: string): Promise<BlobRef[]> {
  const { parts, files } = await artifacts.readByUri(uri);
  return [...Object.values(parts).flat(), ...files];
}

async function trainingsOf({ objects }: Store): Promise<string[]> {
  const fingerprints: string[] = [];
  for await (const { key } of objects.list('trainings/')) {
    const fingerprint = /^trainings\/([0-9a-f]{64})\/head\.json$/u.exec(key)?.[1];
    if (fingerprint !== undefined) fingerprints.push(fingerprint);
  }
  return fingerprints;
}

async function blobsOfTraining({ objects, trainings }: Store, fingerprint: string): Promise<BlobRef[]> {
  const blobs: BlobRef[] = [];
  for (const { key, sha256 } of await trainings.list(fingerprint)) {
    const uri = objects.uriOf(key);
    const found = await objects.get(key);
    if (found === null) throw new SecpiError('BLOB_MISSING', `The manifest ${uri} is not there.`);
    if (sha256Hex(found.bytes) !== sha256)
      throw new SecpiError('BLOB_CORRUPT', `The manifest ${uri} was changed.`);
    blobs.push(...parseStored(checkpointManifestSchema, found.bytes, uri).files);
  }
  return blobs;
}

/** The problem, if work met damage. Other failures are thrown. */
async function damageIn(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error.problem;
  }
}
