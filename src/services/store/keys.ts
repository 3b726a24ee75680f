/** Every key format of the store in one place. Pure. See DESIGN.md beside this file for worked examples. */
import { SecpiError } from '../../contract/errors.ts';
import { sha256Schema } from '../../contract/refs.ts';
import type { ArtifactKind } from '../../contract/refs.ts';

/** File systems behind S3 gateways allow no longer name between two slashes. */
const MAX_SEGMENT_BYTES = 255;
const EMPTY_NAME = '~';

/**
 * A user-given name (workflow id, model, suite) as one key segment. Reversible: ASCII letters, digits, `-`, `_` and
 * inner dots stay; every other UTF-8 byte becomes `~XX`; a leading dot is encoded, so `.` and `..` cannot occur; the
 * empty name is a lone `~`. The tilde is chosen because, unlike `%`, no URL layer decodes it a second time.
 */
export function encodeName(name: string): string {
  if (!name.isWellFormed()) throw invalidName(name, 'holds half a surrogate pair');
  if (name === '') return EMPTY_NAME;
  const encoded = name.replace(/^\.|[^A-Za-z0-9_.-]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
  return segment(encoded, name);
}

/** The name that `encodeName` made this segment of. Throws on a segment that it cannot have made. */
export function decodeName(segment: string): string {
  const name =
    segment === EMPTY_NAME
      ? ''
      : Buffer.from(
          segment.replace(/~([0-9A-F]{2})/g, (_, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          ),
          'latin1',
        ).toString('utf8');
  if (encodeName(name) !== segment)
    throw new SecpiError('INTERNAL', `${JSON.stringify(segment)} is not an encoded name.`);
  return name;
}

function segment(text: string, name: string): string {
  if (text.length <= MAX_SEGMENT_BYTES) return text;
  throw invalidName(name, `takes ${text.length} bytes in a key; at most ${MAX_SEGMENT_BYTES} are allowed`);
}

function invalidName(name: string, problem: string): SecpiError {
  return new SecpiError('RECIPE_INVALID', `The name ${JSON.stringify(name.slice(0, 80))} ${problem}.`, {
    remedy: 'Use a shorter name of ordinary letters, digits, dots and dashes.',
  });
}

export const allBlobsPrefix = 'blobs/sha256/';
export const blobKey = (sha256: string): string => `${allBlobsPrefix}${hex(sha256).slice(0, 2)}/${sha256}`;

export const artifactPrefix = (kind: ArtifactKind, fingerprint: string): string =>
  `artifacts/${kind}/${hex(fingerprint)}`;
export const artifactHeadKey = (kind: ArtifactKind, fingerprint: string): string =>
  `${artifactPrefix(kind, fingerprint)}/head.json`;
export const artifactManifestKey = (kind: ArtifactKind, fingerprint: string, epoch: number): string =>
  `${artifactPrefix(kind, fingerprint)}/manifest-e${digits(epoch, 6)}.json`;
export const shardsPrefix = (kind: ArtifactKind, fingerprint: string): string =>
  `${artifactPrefix(kind, fingerprint)}/shards/`;
export const shardKey = (kind: ArtifactKind, fingerprint: string, index: number): string =>
  `${shardsPrefix(kind, fingerprint)}${digits(index, 8)}.json`;

/** Names a blob that a stage hands from one activity to the next; it counts while the head is building. */
export const handoverKey = (kind: ArtifactKind, fingerprint: string, sha256: string): string =>
  `${artifactPrefix(kind, fingerprint)}/handovers/${hex(sha256)}.json`;

/** A verdict that holds in any run; the name is the hash of everything that decides it. */
export const verdictsPrefix = 'verdicts/';
export const verdictKey = (sha256: string): string =>
  `${verdictsPrefix}${hex(sha256).slice(0, 2)}/${sha256}.json`;

export const trainingHeadKey = (fingerprint: string): string => `trainings/${hex(fingerprint)}/head.json`;
export const checkpointKey = (fingerprint: string, step: number, epoch: number): string =>
  `trainings/${hex(fingerprint)}/step-${digits(step, 8)}-e${digits(epoch, 6)}.json`;

/**
 * Small objects of an attempt: one when it starts (from which step, by whom), one when its first step is done (how long
 * that took).
 */
export const trainingAttemptsPrefix = (fingerprint: string): string =>
  `trainings/${hex(fingerprint)}/attempts/`;
export const trainingAttemptKey = (fingerprint: string, epoch: number, of: 'start' | 'firstStep'): string =>
  `${trainingAttemptsPrefix(fingerprint)}e${digits(epoch, 6)}-${of}.json`;

/** `space` is the hash of model, revision, prompt version and sampling. Ends with a slash. */
export const answersPrefix = (space: string): string => `${allAnswersPrefix}${encodeName(space)}/`;
export const allAnswersPrefix = 'answers/';
/** Says in plain words what `space` is the hash of. */
export const answersIdentityKey = (space: string): string => `${answersPrefix(space)}identity.json`;

/** Says that a person uploaded this blob and gave its uri to a run: nothing else in the store names it. */
export const uploadedFileKey = (sha256: string): string => `uploads/files/${hex(sha256)}.json`;

/** Files of a dataset folder under their own names; `sha256` is the hash of all of them. Ends with a slash. */
export const datasetUploadPrefix = (sha256: string): string => `${datasetUploadsPrefix}${hex(sha256)}/`;
export const datasetUploadsPrefix = 'uploads/datasets/';

/** Small objects that prove what the store can, and measure it; deleted by who wrote them, unless that one was killed. */
export const probePrefix = 'probe/';

/** The blobs that a garbage collection is about to delete. */
export const condemnedKey = 'gc/condemned.json';

export const modelVersionKey = (name: string, version: string): string =>
  `models/${encodeName(name)}/${segment(`${encodeName(version)}.json`, version)}`;
/** Has no `.json`, so that no version can be named like it. */
export const modelCurrentKey = (name: string): string => `models/${encodeName(name)}/current`;

/** Nights of a re-evaluation, by the name of their series. */
export const evaluationsPrefix = (series: string): string => `evaluations/${encodeName(series)}/`;
/** `timestamp` is ISO 8601 in UTC: the keys of a series sort by time. */
export const evaluationKey = (series: string, timestamp: string, benchmark: string): string =>
  evaluationsPrefix(series) + segment(`${encodeName(timestamp)}-${encodeName(benchmark)}.json`, benchmark);

export const allRefreshPrefix = 'refresh/';
/** Which datasets were approved in a series of refreshes. */
export const refreshStateKey = (series: string): string =>
  `${allRefreshPrefix}${encodeName(series)}/state.json`;

export const runKey = (workflowId: string, runId: string, file: string): string =>
  `runs/${encodeName(workflowId)}/${encodeName(runId)}/${encodeName(file)}`;

export interface S3Location {
  readonly bucket: string;
  /** May be empty (a whole bucket); never starts with a slash. */
  readonly key: string;
}

/** Reads `s3://bucket/key`. Null when the text is no such URI. */
export function parseS3Uri(uri: string): S3Location | null {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/su.exec(uri);
  const bucket = match?.[1];
  const key = match?.[2] ?? '';
  return bucket === undefined || key.startsWith('/') ? null : { bucket, key };
}

function hex(value: string): string {
  return sha256Schema.parse(value);
}

/** Zero-padded, so that the order of keys is the order of numbers. */
function digits(value: number, width: number): string {
  const text = String(value).padStart(width, '0');
  if (!Number.isSafeInteger(value) || value < 0 || text.length > width) {
    throw new SecpiError('INTERNAL', `${value} does not fit a key of ${width} digits.`);
  }
  return text;
}
