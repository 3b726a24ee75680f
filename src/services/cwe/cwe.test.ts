import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  catalogueVersion,
  cweName,
  describeCwe,
  descendantsOf,
  familyOf,
  isKnownCwe,
  kinOf,
  matchesSelector,
  parentsOf,
} from './index.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const cwes = (ids: string): string[] => ids.split(' ').map((id) => `CWE-${id}`);

describe('the catalogue', () => {
  it('knows names, short names and parents', () => {
    expect(cweName('CWE-502')).toBe('Deserialization of Untrusted Data');
    expect(describeCwe('CWE-89')).toBe('CWE-89 SQL Injection');
    expect(describeCwe('CWE-502')).toBe('CWE-502 Deserialization of Untrusted Data');
    expect(describeCwe('CWE-9999')).toBe('CWE-9999');
    expect(parentsOf('CWE-798')).toEqual(['CWE-1391', 'CWE-344', 'CWE-671']);
    expect(parentsOf('CWE-707')).toEqual([]);
    expect(descendantsOf('CWE-943')).toEqual(new Set(cwes('89 564 90 643 652')));
    expect(catalogueVersion()).toMatch(/^cwe-sdk \d+\.\d+\.\d+$/);
  });

  it.each([
    ['CWE-89', true],
    ['CWE-1426', true],
    ['CWE-9999', false],
    // A category, a view, a deprecated entry.
    ['CWE-310', false],
    ['CWE-1000', false],
    ['CWE-132', false],
    ['89', false],
    ['toString', false],
  ])('%s is known: %s', (cwe, known) => {
    expect(isKnownCwe(cwe)).toBe(known);
    expect(cweName(cwe) !== null).toBe(known);
  });
});

describe('kinOf', () => {
  it.each([
    ['89', '564 943 90 643', '79 78 77 74 94'],
    ['943', '89 90 643', '91 79'],
    ['78', '77 88', '79 89 94 95 74'],
    ['79', '80 83 87', '74 116 89 1004'],
    ['22', '23 24 36', '59 98 434 668 706'],
    ['787', '119 120 121 122 125 788', '118 190 131 476 664'],
    ['125', '119 126 127 787', '190 200'],
    ['119', '120 125 787 416', '118 170 134'],
    ['502', '502', '94 913 915 470'],
    ['327', '328 916 759', '295 326 330 693'],
    ['798', '259 321 1391', '330 338 344 671 287'],
    ['400', '405 409 407 770 1333', '404 664 776'],
    ['1333', '400 407', '409 770'],
    ['732', '276 279', '1004 285 668'],
    ['338', '330 331 335 340', '327 798'],
    ['863', '639 566', '862 284 285 287'],
  ])('of CWE-%s holds %s, not %s', (cwe, kin, strangers) => {
    expect([...kinOf(`CWE-${cwe}`)]).toEqual(expect.arrayContaining(cwes(kin)));
    expect(cwes(strangers).filter((stranger) => kinOf(`CWE-${cwe}`).has(stranger))).toEqual([]);
  });

  it('holds itself, also where the catalogue lacks it', () => {
    expect(kinOf('CWE-20').has('CWE-20')).toBe(true);
    expect(kinOf('CWE-9999')).toEqual(new Set(['CWE-9999']));
  });
});

describe('familyOf', () => {
  it.each([
    ['injection', '77 78 79 88 89 90 91 93 94 95 96 113 116 117 564 643 917 943 1236 1336 74 707'],
    ['memory-safety', '119 120 121 122 125 131 134 170 190 191 401 415 416 468 476 676 681 787 824 843'],
    ['path', '22 23 36 59 73 426'],
    ['crypto', '295 311 312 319 321 326 327 328 329 330 331 338 347 759 760 780 916'],
    ['access-control', '276 284 285 287 306 307 352 377 522 601 611 614 732 798 862 863 918 942 1004'],
    ['deserialisation', '470 502 915 1321'],
    ['resource', '400 404 405 409 674 703 754 755 770 772 776 835 1333'],
    ['information-exposure', '200 203 208 209 532'],
    ['input-validation', '20 434 1284 1287'],
    ['concurrency', '362 367 667'],
  ])('%s: %s', (family, members) => {
    expect(cwes(members).map((cwe) => [cwe, familyOf(cwe)])).toEqual(
      cwes(members).map((cwe) => [cwe, family]),
    );
  });

  it('is null for bad style and for unknown entries', () => {
    expect(cwes('1078 1053 9999').map(familyOf)).toEqual([null, null, null]);
  });

  it('is known for every weakness of the suite and of the records', async () => {
    const files = await Promise.all(
      ['suite/suite.json', 'records/verdicts.jsonl'].map((file) => readFile(path.join(root, file), 'utf8')),
    );
    const used = new Set(files.join('\n').match(/CWE-\d+/gu));
    expect(used.size).toBeGreaterThan(15);
    expect([...used].filter((cwe) => !isKnownCwe(cwe) || familyOf(cwe) === null)).toEqual([]);
  });
});

describe('matchesSelector', () => {
  it.each([
    [['CWE-89'], ['CWE-943'], true],
    [['CWE-89'], ['injection'], true],
    [['CWE-79', 'CWE-787'], ['memory-safety'], true],
    [['CWE-79'], ['CWE-89', 'memory-safety'], false],
    [[], ['injection', 'CWE-89'], false],
    [['CWE-89'], [], false],
    [['CWE-9999'], ['injection'], false],
  ] as const)('%j against %j: %s', (carried, selectors, matches) => {
    expect(matchesSelector(carried, selectors)).toBe(matches);
  });
});
