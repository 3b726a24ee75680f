import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answersPrefix,
  artifactHeadKey,
  artifactManifestKey,
  blobKey,
  checkpointKey,
  decodeName,
  encodeName,
  evaluationKey,
  modelCurrentKey,
  modelVersionKey,
  parseS3Uri,
  refreshStateKey,
  runKey,
  shardKey,
  trainingHeadKey,
} from './keys.ts';

const hash = 'ab'.repeat(32);

describe('encodeName', () => {
  it.each([
    ['my-run_1.json', 'my-run_1.json'],
    ['', '~'],
    ['~', '~7E'],
    ['.', '~2E'],
    ['..', '~2E.'],
    ['../../etc/passwd', '~2E.~2F..~2Fetc~2Fpasswd'],
    ['Qwen/Qwen3-8B', 'Qwen~2FQwen3-8B'],
    ['é ✓', '~C3~A9~20~E2~9C~93'],
    ['50%', '50~25'],
    ['a\0b', 'a~00b'],
  ])('writes %j as %s', (name, segment) => {
    expect(encodeName(name)).toBe(segment);
    expect(decodeName(segment)).toBe(name);
  });

  it('is reversible and safe for every name short enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        const segment = encodeName(name);
        expect(decodeName(segment)).toBe(name);
        expect(segment).toMatch(/^[A-Za-z0-9_~-][A-Za-z0-9_.~-]*$/);
      }),
    );
  });

  it('refuses a name that does not fit a segment, or is no text', () => {
    expect(encodeName('x'.repeat(255))).toHaveLength(255);
    expect(() => encodeName('x'.repeat(256))).toThrow(/RECIPE_INVALID.*256 bytes/);
    expect(() => encodeName('é'.repeat(43))).toThrow(/258 bytes/);
    expect(() => encodeName('\ud800')).toThrow(/surrogate/);
    expect(() => modelVersionKey('m', 'v'.repeat(251))).toThrow(/256 bytes/);
  });

  it.each(['', '..', 'a/b', '~2', '~zz', '~41', 'é', '~ff'])(
    'does not decode %j, which it never writes',
    (segment) => {
      expect(() => decodeName(segment)).toThrow(/not an encoded name/);
    },
  );
});

describe('keys', () => {
  it.each([
    [blobKey(hash), `blobs/sha256/ab/${hash}`],
    [artifactHeadKey('filter', hash), `artifacts/filter/${hash}/head.json`],
    [artifactManifestKey('filter', hash, 1), `artifacts/filter/${hash}/manifest-e000001.json`],
    [shardKey('traces', hash, 12), `artifacts/traces/${hash}/shards/00000012.json`],
    [trainingHeadKey(hash), `trainings/${hash}/head.json`],
    [checkpointKey(hash, 400, 3), `trainings/${hash}/step-00000400-e000003.json`],
    [answersPrefix(hash), `answers/${hash}/`],
    [modelVersionKey('Qwen/Q3', '1'), 'models/Qwen~2FQ3/1.json'],
    [modelCurrentKey('Qwen/Q3'), 'models/Qwen~2FQ3/current'],
    [
      evaluationKey('m', '2026-01-02T03:04:05Z', 'cweval'),
      'evaluations/m/2026-01-02T03~3A04~3A05Z-cweval.json',
    ],
    [runKey('nightly/1', 'run', 'report.html'), 'runs/nightly~2F1/run/report.html'],
    [refreshStateKey('weekly tasks'), 'refresh/weekly~20tasks/state.json'],
  ])('%s', (key, expected) => {
    expect(key).toBe(expected);
  });

  it('refuse what is no hash and what does not fit their digits', () => {
    expect(() => blobKey('../x')).toThrow(/hex/);
    expect(() => shardKey('filter', hash, -1)).toThrow(/does not fit/);
    expect(() => shardKey('filter', hash, 1e8)).toThrow(/does not fit/);
    expect(() => checkpointKey(hash, 1.5, 1)).toThrow(/does not fit/);
  });
});

describe('parseS3Uri', () => {
  it.each([
    ['s3://bucket/a/b c.jsonl', { bucket: 'bucket', key: 'a/b c.jsonl' }],
    ['s3://my.bucket-1', { bucket: 'my.bucket-1', key: '' }],
    ['s3://bucket/', { bucket: 'bucket', key: '' }],
  ])('reads %s', (uri, location) => {
    expect(parseS3Uri(uri)).toEqual(location);
  });

  it.each([
    '',
    's3://',
    's3://B/x',
    's3:///x',
    's3://bucket//x',
    'https://bucket/x',
    's3://-b-/x',
    ' s3://bucket/x',
  ])('refuses %j', (uri) => {
    expect(parseS3Uri(uri)).toBeNull();
  });
});
