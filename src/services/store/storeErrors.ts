/** Maps what the AWS SDK throws onto the error catalogue. */
import { SecpiError, messageOf } from '../../contract/errors.ts';

interface SdkFailure {
  readonly name: string;
  /** False for what never went to the store: a file that cannot be read, a defect. */
  readonly ofSdk: boolean;
  /** HTTP status, or undefined where no answer came. */
  readonly status: number | undefined;
}

const DENIED_NAMES: ReadonlySet<string> = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'CredentialsProviderError',
]);
const BUSY_NAMES: ReadonlySet<string> = new Set([
  'SlowDown',
  'RequestTimeout',
  'ThrottlingException',
  'TooManyRequestsException',
]);
/** The body arrived otherwise than it was sent. */
export const CHANGED_BODY_NAMES: ReadonlySet<string> = new Set(['BadDigest', 'XAmzContentSHA256Mismatch']);
/** Where the client speaks to the wrong place: no retry mends it. */
const MISDIRECTED_NAMES: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

export function describeFailure(error: unknown): SdkFailure {
  const name = error instanceof Error ? error.name : 'Unknown';
  if (typeof error !== 'object' || error === null || !('$metadata' in error))
    return { name, ofSdk: false, status: undefined };
  const metadata = error.$metadata;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name, ofSdk: true, status: typeof status === 'number' ? status : undefined };
}

/** True for an answer that says: there is no such object. A missing bucket is another matter. */
export function isAbsent(error: unknown): boolean {
  const { name, status } = describeFailure(error);
  return status === 404 && name !== 'NoSuchBucket';
}

/** True for the answer that a range starts behind the last byte. */
export function isBeyondEnd(error: unknown): boolean {
  return describeFailure(error).status === 416;
}

export function isAborted(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/**
 * The error of the catalogue for a failure of the SDK. A cancellation, an error of the catalogue and an error that
 * is not of the store stay what they are. `what` completes the sentence "… failed".
 */
export function toStoreError(error: unknown, bucket: string, what: string): unknown {
  if (error instanceof SecpiError || isAborted(error)) return error;
  const { name, ofSdk, status } = describeFailure(error);
  if (!ofSdk && !DENIED_NAMES.has(name)) return error;
  const problem = `${what} failed: ${name}${status === undefined ? '' : ` (HTTP ${status})`}: ${messageOf(error)}.`;
  if (name === 'NoSuchBucket')
    return new SecpiError('BUCKET_MISSING', `The bucket ${bucket} does not exist.`, { cause: error });
  if (DENIED_NAMES.has(name)) return new SecpiError('STORE_ACCESS_DENIED', problem, { cause: error });
  if (MISDIRECTED_NAMES.has(name) || status === 301) {
    return new SecpiError('STORE_ACCESS_DENIED', problem, {
      cause: error,
      remedy: `Name the region and the endpoint of the bucket ${bucket} (AWS_REGION, AWS_ENDPOINT_URL_S3).`,
    });
  }
  if (status === 501) return new SecpiError('STORE_UNFIT', problem, { cause: error });
  // No status: no answer came (refused, reset, timed out, name not resolved).
  const isPassing = BUSY_NAMES.has(name) || CHANGED_BODY_NAMES.has(name);
  if (status === undefined || status >= 500 || status === 429 || isPassing) {
    return new SecpiError('STORE_UNAVAILABLE', problem, { cause: error });
  }
  if (status === 401 || status === 403)
    return new SecpiError('STORE_ACCESS_DENIED', problem, { cause: error });
  return new SecpiError('INTERNAL', problem, { cause: error });
}
