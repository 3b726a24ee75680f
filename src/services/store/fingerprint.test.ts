import { expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';

it('is stable: a change of these values makes every artefact of every user be made again', () => {
  expect(fingerprint({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  expect(fingerprint({ stage: 'filter', codeVersion: 1, inputs: ['a', null], share: 0.5 })).toBe(
    'd6668ea0d4c2a1b4f6894c5180bf83ede8b94195b33754119c1b684e2b965e89',
  );
});

it('does not depend on the order of the fields, and does on every value', () => {
  expect(fingerprint({ a: 1, b: { c: 2, d: 3 } })).toBe(fingerprint({ b: { d: 3, c: 2 }, a: 1 }));
  const variants = [{ a: 1 }, { a: '1' }, { a: [1] }, { a: null }, { b: 1 }, {}, { a: 1, b: null }];
  expect(new Set(variants.map(fingerprint)).size).toBe(variants.length);
});
