import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalLine } from './canonicalJson.ts';

describe('canonicalJson', () => {
  it.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ ä: 1, z: 2, Z: 3, '10': 4, '9': 5 }, '{"10":4,"9":5,"Z":3,"z":2,"ä":1}'],
    [{ kept: 0, dropped: undefined }, '{"kept":0}'],
    [[1e21, 0.1, -0, 1.0], '[1e+21,0.1,0,1]'],
    ['\u2028\n"', '"\u2028\\n\\""'],
    [JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
  ])('writes %j as %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([
    ['NaN', { a: { b: [Number.NaN] } }, '$.a.b[0]'],
    ['a hole in an array', [undefined], '$[0]'],
    ['a bigint', { n: 1n }, '$.n'],
    ['a date', { at: new Date(0) }, 'Date'],
    ['a map', new Map(), 'Map'],
    ['half a surrogate pair', ['\ud800'], 'surrogate'],
  ])('refuses %s and says where', (_, value, where) => {
    expect(() => canonicalJson(value)).toThrow(where);
  });

  it('keeps the value, holds no newline, and is the same whatever the order of the keys', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value: unknown = JSON.parse(json);
        fc.pre(json.isWellFormed() && JSON.stringify(value).isWellFormed() && isWellFormed(value));
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(canonicalLine(value).indexOf('\n')).toBe(text.length);
      }),
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member));
}
