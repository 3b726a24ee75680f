import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatch, touches, type Json } from './mergePatch.ts';

describe('mergePatch', () => {
  // Appendix A of RFC 7386.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j changed by %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('makes no prototype of what a file names __proto__', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}') as Json);
    expect(Object.keys(merged as object)).toEqual(['__proto__']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('says the same twice, and changes neither side', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target as Json, patch as Json);
        expect(mergePatch(once, patch as Json)).toEqual(once);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });
});

describe('touches', () => {
  const patch: Json = { finetune: { seed: 3, limits: null }, evaluate: { benchmarks: ['suite'] } };
  it.each([
    ['finetune.seed', true],
    ['finetune', true],
    ['finetune.limits.maxErrors', true],
    ['finetune.epochs', false],
    ['evaluate.benchmarks', true],
    ['distill.prompt', false],
  ])('%s: %s', (path, expected) => {
    expect(touches(patch, path.split('.'))).toBe(expected);
  });
});
