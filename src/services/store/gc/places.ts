/** What a key means to the garbage collection. Pure. */
import {
  allAnswersPrefix,
  allBlobsPrefix,
  datasetUploadsPrefix,
  probePrefix,
  verdictsPrefix,
} from '../keys.ts';

/**
 * Answers were paid for, verdicts were graded, uploaded datasets are a person's: all are kept, and none names a blob.
 * Everything else is read, also what an earlier or later version keeps in places of its own.
 */
export const foldersThatNameNothing: readonly string[] = [
  allBlobsPrefix,
  allAnswersPrefix,
  verdictsPrefix,
  datasetUploadsPrefix,
  probePrefix,
  'gc/',
];

export type Place =
  /** Of an artefact or a training: what counts is decided by the head of its folder. */
  | { readonly of: 'group'; readonly folder: string; readonly file: GroupFile }
  /** Holds names if it is JSON; nothing decides whether it counts. */
  | { readonly of: 'none' };

export type GroupFile =
  | { readonly is: 'head' | 'shard' | 'other' }
  | { readonly is: 'manifest' | 'checkpoint'; readonly epoch: number };

const GROUP = /^(artifacts\/[a-z]+\/[0-9a-f]{64}|trainings\/[0-9a-f]{64})\/(.+)$/u;

export function placeOf(key: string): Place {
  const [, folder, name] = GROUP.exec(key) ?? [];
  if (folder === undefined || name === undefined) return { of: 'none' };
  return { of: 'group', folder, file: fileOf(name, folder.startsWith('trainings/')) };
}

function fileOf(name: string, isTraining: boolean): GroupFile {
  if (name === 'head.json') return { is: 'head' };
  if (!isTraining && /^(?:shards\/\d{8}|handovers\/[0-9a-f]{64})\.json$/u.test(name)) return { is: 'shard' };
  const manifest = (isTraining ? /^step-\d{8}-e(\d{6})\.json$/u : /^manifest-e(\d{6})\.json$/u).exec(name);
  if (manifest === null) return { is: 'other' };
  return { is: isTraining ? 'checkpoint' : 'manifest', epoch: Number(manifest[1]) };
}

/** Names of blobs in a text: refs hold the uri of the blob, whatever bucket it was in when they were written. */
export function blobsNamedIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})/gu)].map(([, hex]) => hex ?? ''),
  );
}

/** The SHA-256 that a blob's key says; null for what lies under `blobs/` and is no blob. */
export function sha256OfKey(key: string): string | null {
  const [, folder, hex] = /^blobs\/sha256\/([0-9a-f]{2})\/([0-9a-f]{64})$/u.exec(key) ?? [];
  return hex !== undefined && folder === hex.slice(0, 2) ? hex : null;
}
