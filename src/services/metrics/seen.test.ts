import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cweSchema } from '../../contract/rows.ts';
import { matchesSelector } from '../cwe/index.ts';
import { exposureOf, isSeen } from './seen.ts';

describe('isSeen', () => {
  it.each([
    ['CWE-89', ['CWE-89'], true],
    ['CWE-943', ['CWE-89'], true],
    ['CWE-89', ['CWE-943'], true],
    ['CWE-564', ['CWE-89'], true],
    ['CWE-643', ['CWE-89'], true],
    ['CWE-95', ['CWE-94'], true],
    ['CWE-95', ['CWE-96'], false],
    ['CWE-22', ['CWE-89', 'CWE-78'], false],
    ['CWE-22', ['CWE-36'], true],
    ['CWE-36', ['CWE-23'], true],
    ['CWE-78', ['CWE-88'], true],
    ['CWE-78', ['CWE-79', 'CWE-89', 'CWE-94'], false],
    ['CWE-787', ['CWE-125'], true],
    ['CWE-121', ['CWE-119'], true],
    ['CWE-787', ['CWE-190', 'CWE-476'], false],
    ['CWE-760', ['CWE-916'], true],
    ['CWE-1333', ['CWE-400'], true],
    ['CWE-1333', ['CWE-409', 'CWE-776'], false],
    ['CWE-502', ['CWE-94', 'CWE-915'], false],
    // Training on something vague does not make everything seen.
    ['CWE-79', ['CWE-74', 'CWE-707', 'CWE-20'], false],
    ['CWE-89', [], false],
    // A number that the catalogue lacks is kin to itself only.
    ['CWE-9999', ['CWE-9999'], true],
    ['CWE-9999', ['CWE-89'], false],
  ])('%s after training on %j: %s', (cwe, trained, seen) => {
    expect(isSeen(cwe, new Set(trained))).toBe(seen);
  });

  it('never holds for what a distillation held out', () => {
    const anyCwe = fc.integer({ min: 1, max: 1450 }).map((id) => cweSchema.parse(`CWE-${id}`));
    fc.assert(
      fc.property(anyCwe, fc.array(anyCwe, { maxLength: 40 }), (heldOut, labelled) => {
        const trained = labelled.filter((cwe) => !matchesSelector([cwe], [heldOut]));
        expect(isSeen(heldOut, new Set(trained))).toBe(false);
      }),
    );
  });
});

describe('exposureOf', () => {
  it.each([
    [['CWE-89'], 'seen'],
    [['CWE-22', 'CWE-943'], 'seen'],
    [['CWE-22', 'CWE-787'], 'heldOut'],
    [[], null],
  ])('of a task of %j after training on CWE-89: %s', (cwes, exposure) => {
    expect(exposureOf({ cwes }, new Set(['CWE-89']))).toBe(exposure);
  });
});
