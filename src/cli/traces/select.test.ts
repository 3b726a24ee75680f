import { describe, expect, it } from 'vitest';
import type { DataEntry } from '../../services/report/index.ts';
import { createMatcher, isWantedKind, mergeByIndex } from './select.ts';
import { entry } from './testEntry.ts';

const anything = { cwes: [], languages: [], reason: null, search: null, id: null };

describe('createMatcher', () => {
  it.each([
    [{}, true],
    [{ cwes: ['CWE-89' as const] }, true],
    [{ cwes: ['CWE-943' as const] }, true],
    [{ cwes: ['injection' as const] }, true],
    [{ cwes: ['memory-safety' as const] }, false],
    [{ cwes: ['memory-safety' as const, 'injection' as const] }, true],
    [{ languages: ['PY'] }, true],
    [{ languages: ['c', 'python3'] }, true],
    [{ languages: ['c'] }, false],
    [{ reason: 'USER INPUT' }, true],
    [{ reason: 'in the detail' }, true],
    [{ reason: 'write a' }, false],
    [{ search: 'WRITE a' }, true],
    [{ search: 'user input' }, true],
    [{ search: 'row-17' }, true],
    [{ search: 'absent' }, false],
    [{ id: 'row-17' }, true],
    [{ id: 'row-1' }, false],
    [{ id: 'row-17', languages: ['c'] }, false],
  ])('%j: %s', (wanted, matches) => {
    const found = entry({ detail: 'stands in the detail' });
    expect(createMatcher({ ...anything, ...wanted })(found)).toBe(matches);
  });

  it('does not take a row of no language or weakness for one of any', () => {
    const bare = entry({ language: null, cwes: [] });
    expect(createMatcher({ ...anything, languages: ['python'] })(bare)).toBe(false);
    expect(createMatcher({ ...anything, cwes: ['CWE-89'] })(bare)).toBe(false);
  });
});

it('the sample for review is shown only when it is asked for', () => {
  expect(isWantedKind({ kinds: [] }, 'review')).toBe(false);
  expect(isWantedKind({ kinds: [] }, 'dropped')).toBe(true);
  expect(isWantedKind({ kinds: ['review'] }, 'review')).toBe(true);
  expect(isWantedKind({ kinds: ['review'] }, 'kept')).toBe(false);
});

describe('mergeByIndex', () => {
  const closed: string[] = [];
  async function* stream(name: string, ...indices: number[]): AsyncGenerator<DataEntry> {
    try {
      for (const index of indices) yield entry({ index, id: name });
    } finally {
      closed.push(name);
    }
  }

  it('puts the streams in order, those of one row in the order of the streams', async () => {
    const merged = mergeByIndex([stream('a', 0, 2, 5), stream('b'), stream('c', 1, 2, 3)]);
    const entries = await Array.fromAsync(merged);
    expect(entries.map(({ id, index }) => `${id}${index}`)).toEqual(['a0', 'c1', 'a2', 'c2', 'c3', 'a5']);
  });

  it('loses nothing of a stream out of order', async () => {
    const entries = await Array.fromAsync(mergeByIndex([stream('a', 0, 9, 1, 4), stream('b', 2, 3)]));
    expect(entries.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 9]);
  });

  it('closes every stream when its reader stops', async () => {
    closed.length = 0;
    for await (const _ of mergeByIndex([stream('a', 0, 1), stream('b', 5)])) break;
    expect(closed.sort()).toEqual(['a', 'b']);
  });
});
