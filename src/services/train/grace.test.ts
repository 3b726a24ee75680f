import { describe, expect, test } from 'vitest';
import { decideGrace, usableGraceMs, type GraceFacts } from './grace.ts';

const facts: GraceFacts = {
  graceMs: 30_000,
  stepSeconds: 10,
  secondsIntoStep: 4,
  saveSeconds: 3,
  uploadBytes: 1e9,
  uploadBytesPerSecond: 1e8,
};

describe('decideGrace', () => {
  test.each<[string, Partial<GraceFacts>, boolean]>([
    ['fits: 6 + 3 + 10 of 24 s', {}, true],
    ['fits exactly', { saveSeconds: 8 }, true],
    ['the save is too slow', { saveSeconds: 8.1 }, false],
    ['the upload is too slow', { uploadBytesPerSecond: 5e7 }, false],
    ['the step is too long', { stepSeconds: 60 }, false],
    ['a step that takes longer than usual counts as about to end', { secondsIntoStep: 100 }, true],
    ['no grace at all', { graceMs: 0, stepSeconds: 0, saveSeconds: 0, uploadBytes: 0 }, false],
    ['nothing measured yet', { stepSeconds: null, saveSeconds: null, uploadBytes: null }, true],
    ['speed not measured yet', { uploadBytesPerSecond: null, uploadBytes: 1e15 }, true],
  ])('%s', (_name, change, saves) => {
    expect(decideGrace({ ...facts, ...change }).saves).toBe(saves);
  });

  test('says by what it decided', () => {
    expect(decideGrace({ ...facts, saveSeconds: 60 }).note).toBe(
      'notice: leaving at once, a save would not fit (step 6.0 s, save 60.0 s, upload 10.0 s of 24.0 s)',
    );
  });
});

test('a fifth of the grace stays for the worker itself', () => {
  expect(usableGraceMs(10_000)).toBe(8000);
  expect(usableGraceMs(-5)).toBe(0);
});
