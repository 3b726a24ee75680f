import { describe, expect, it } from 'vitest';
import { artifactHeadKey, artifactManifestKey, blobKey, checkpointKey, shardKey } from '../keys.ts';
import { trainingAttemptKey, trainingHeadKey } from '../keys.ts';
import { blobsNamedIn, placeOf, sha256OfKey } from './places.ts';

const fp = 'ab'.repeat(32);

describe('placeOf', () => {
  it.each([
    [artifactHeadKey('filter', fp), { is: 'head' }],
    [artifactManifestKey('filter', fp, 12), { is: 'manifest', epoch: 12 }],
    [shardKey('filter', fp, 3), { is: 'shard' }],
    [`artifacts/filter/${fp}/notes.json`, { is: 'other' }],
    [trainingHeadKey(fp), { is: 'head' }],
    [checkpointKey(fp, 400, 7), { is: 'checkpoint', epoch: 7 }],
    [trainingAttemptKey(fp, 1, 'start'), { is: 'other' }],
    // A name of the one in a folder of the other decides nothing.
    [`trainings/${fp}/manifest-e000001.json`, { is: 'other' }],
    [`artifacts/filter/${fp}/step-00000001-e000001.json`, { is: 'other' }],
  ])('knows %s', (key, file) => {
    expect(placeOf(key)).toEqual({ of: 'group', folder: key.split(fp)[0] + fp, file });
  });

  it.each(['models/m/1.json', 'artifacts/filter/x/head.json', `artifacts/${fp}/head.json`, 'head.json'])(
    'leaves %s to no head',
    (key) => {
      expect(placeOf(key)).toEqual({ of: 'none' });
    },
  );
});

describe('blobsNamedIn', () => {
  it('finds blobs by their uri, of any bucket and prefix, each once', () => {
    const other = 'cd'.repeat(32);
    const text = JSON.stringify({
      parts: [{ uri: `s3://here/${blobKey(fp)}` }, { uri: `s3://there/team/a/${blobKey(fp)}` }],
      note: `see ${blobKey(other)}, not ${'ef'.repeat(32)}`,
    });
    expect(blobsNamedIn(text)).toEqual(new Set([fp, other]));
  });
});

describe('sha256OfKey', () => {
  it('takes only what is under its own folder for a blob', () => {
    expect(sha256OfKey(blobKey(fp))).toBe(fp);
    expect(sha256OfKey(`blobs/sha256/00/${fp}`)).toBeNull();
    expect(sha256OfKey(`blobs/sha256/ab/${fp}.partial`)).toBeNull();
    expect(sha256OfKey('blobs/sha256/readme.txt')).toBeNull();
  });
});
