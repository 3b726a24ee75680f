import { describe, expect, it } from 'vitest';
import { SecpiError } from '../../contract/errors.ts';
import { isAbsent, toStoreError } from './storeErrors.ts';

const sdkError = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error('said the server'), { name, $metadata: { httpStatusCode, attempts: 5 } });

describe('toStoreError', () => {
  it.each([
    ['NoSuchBucket', 404, 'BUCKET_MISSING'],
    ['AccessDenied', 403, 'STORE_ACCESS_DENIED'],
    ['SignatureDoesNotMatch', 403, 'STORE_ACCESS_DENIED'],
    ['Unknown', 401, 'STORE_ACCESS_DENIED'],
    ['PermanentRedirect', 301, 'STORE_ACCESS_DENIED'],
    ['SlowDown', 503, 'STORE_UNAVAILABLE'],
    ['RequestTimeout', 400, 'STORE_UNAVAILABLE'],
    ['TooManyRequests', 429, 'STORE_UNAVAILABLE'],
    ['InternalError', 500, 'STORE_UNAVAILABLE'],
    ['BadDigest', 400, 'STORE_UNAVAILABLE'],
    ['XAmzContentSHA256Mismatch', 400, 'STORE_UNAVAILABLE'],
    ['Error', undefined, 'STORE_UNAVAILABLE'],
    ['NotImplemented', 501, 'STORE_UNFIT'],
    ['InvalidArgument', 400, 'INTERNAL'],
  ])('%s (%s) is %s', (name, status, code) => {
    const error = toStoreError(sdkError(name, status), 'my-bucket', 'Reading a/b');
    expect(error).toMatchObject({ code });
  });

  it('says what failed, and keeps the cause', () => {
    const cause = sdkError('SlowDown', 503);
    const error = toStoreError(cause, 'my-bucket', 'Reading a/b');
    expect(error).toMatchObject({
      problem: 'Reading a/b failed: SlowDown (HTTP 503): said the server.',
      cause,
    });
  });

  it('names credentials that are not there', () => {
    const error = Object.assign(new Error('Could not load credentials'), {
      name: 'CredentialsProviderError',
    });
    expect(toStoreError(error, 'b', 'Reading')).toMatchObject({ code: 'STORE_ACCESS_DENIED' });
  });

  it.each([
    ['an error of the catalogue', new SecpiError('BLOB_MISSING', 'gone')],
    ['a cancellation', Object.assign(new Error('stop'), { name: 'AbortError', $metadata: {} })],
    ['an error of the disk', Object.assign(new Error('ENOENT'), { code: 'ENOENT' })],
  ])('leaves %s as it is', (_, error) => {
    expect(toStoreError(error, 'b', 'Reading')).toBe(error);
  });
});

it('tells an absent object from an absent bucket', () => {
  expect(isAbsent(sdkError('NoSuchKey', 404))).toBe(true);
  expect(isAbsent(sdkError('NoSuchBucket', 404))).toBe(false);
  expect(isAbsent(sdkError('AccessDenied', 403))).toBe(false);
});
