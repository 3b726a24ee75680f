import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, printable } from '../packed.ts';
import { testBenchmarks } from '../testRun.ts';
import { testSamples } from '../testSamples.ts';
import { cut, noTexts, textRules, type TextRule } from './rules.ts';
import { Numbering, placeSamples, textRow } from './rows.ts';
import { sampleTexts } from './texts.ts';

const benchmarks = testBenchmarks();
const samples = testSamples({ benchmarks });
const placed = placeSamples(samples, benchmarks);
const [whole] = textRules as [TextRule];

/** Written apart from the page's script: digits of base 91, 13 bits a pair, by big numbers. */
function unprintable(text: string, length: number): Buffer {
  const alphabet = [...Array(94).keys()]
    .map((i) => String.fromCharCode(33 + i))
    .filter((c) => !'&<\\'.includes(c));
  let bits = 0n;
  for (let i = text.length - 2; i >= 0; i -= 2) {
    const pair = alphabet.indexOf(text[i] ?? '') + 91 * alphabet.indexOf(text[i + 1] ?? '');
    bits = (bits << 13n) | BigInt(pair);
  }
  return Buffer.from(Array.from({ length }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n)));
}

describe('packed data', () => {
  it('comes back byte for byte, without a character that means something in a page', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = printable(bytes);
        expect(text).toMatch(/^[!-%'-;=-[\]-~]*$/);
        expect(unprintable(text, bytes.length)).toEqual(Buffer.from(bytes));
        expect(text.length).toBeLessThanOrEqual(Math.ceil((bytes.length * 16) / 13) + 2);
      }),
    );
  });

  it('is deflated JSON', async () => {
    const { text, bytes } = await pack({ a: ['ä'] });
    expect(JSON.parse(inflateRawSync(unprintable(text, bytes)).toString())).toEqual({ a: ['ä'] });
  });
});

describe('samples in the page', () => {
  it('stand by benchmark, task, variant and sample, both models side by side', () => {
    const names = placed.map(
      ({ verdict, model }) =>
        `${verdict.benchmark} ${verdict.taskId} ${verdict.variant} ${verdict.sample} ${model}`,
    );
    expect(names.slice(0, 3)).toEqual([
      'suite core/py/cwe_022_0 none 0 base',
      'suite core/py/cwe_022_0 none 0 tuned',
      'suite core/py/cwe_022_0 none 1 base',
    ]);
    expect(new Set(names).size).toBe(samples.length);
    expect(names.at(-1)).toMatch(/^guard .* 7 tuned$/);
  });

  it('have a verdict without security where the benchmark measures none', () => {
    const guard = placed.filter(({ verdict }) => verdict.benchmark === 'guard');
    expect([...new Set(guard.map(({ outcome }) => outcome))].sort()).toEqual([
      'functional',
      'no code',
      'not functional',
      'unknown',
    ]);
  });

  it('point at code that stands in the reply, and say which prompt once', () => {
    const prompts = new Numbering();
    const rows = placed.map((sample) => textRow(sample, whole, prompts));
    const shown = rows.map(([prompt, reply, , code]) => ({
      prompt: prompts.texts[prompt],
      code: Array.isArray(code) ? reply?.slice(code[0], code[0] + code[1]) : code,
    }));
    expect(shown).toEqual(placed.map(({ prompt, code }) => ({ prompt, code })));
    expect(rows.filter(([, , , code]) => typeof code === 'string')).toEqual([]);
    // 18 tasks in two variants, 8 and 6 tasks in one.
    expect(prompts.texts).toHaveLength(18 * 2 + 8 + 6);
  });

  it('keep the place of code whose surroundings are cut', () => {
    const [first] = placed;
    if (first === undefined) throw new Error('no samples');
    const code = 'x = 1\n'.repeat(100);
    const sample = { ...first, code, reply: `${'before '.repeat(1000)}${code}${'after '.repeat(1000)}` };
    const rule = { ...whole, code: 60, besideCode: 30 };
    const [, reply, , place] = textRow(sample, rule, new Numbering());
    const [start, length] = Array.isArray(place) ? place : [0, 0];
    expect(reply?.slice(start, start + length)).toBe(cut(code, 60));
    expect(reply).toMatch(/^before .*characters are left out here/s);
  });

  it('keep code that was put together out of several places', () => {
    const [first] = placed;
    if (first === undefined) throw new Error('no samples');
    const [, , , code] = textRow({ ...first, reply: 'a\nb\n', code: 'b\na\n' }, whole, new Numbering());
    expect(code).toBe('b\na\n');
  });
});

describe('the room for texts', () => {
  it('keeps both ends of a text and says how much is missing', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdefghij', 6)).toBe('abcd\n⟨4 characters are left out here⟩\nij');
    expect(cut('abc', 0)).toBeNull();
  });

  it('holds everything where it fits', async () => {
    const { rule, starts } = await sampleTexts(placed, 1_000_000);
    expect(rule).toBe(whole);
    expect(starts).toEqual([0]);
  });

  it.each([150_000, 100_000, 80_000])('takes the mildest rule that fits into %i bytes', async (room) => {
    const long = placed.map((sample, i) => ({
      ...sample,
      reasoning: Array.from({ length: 60 }, (_, j) => (i * 7919 + j * 104_729) % 99_991).join(' '),
    }));
    const { rule, block } = await sampleTexts(long, room);
    expect(rule).not.toBe(whole);
    expect(rule.words).toContain('To keep this page below 30 MB');
    expect(rule).not.toBe(noTexts);
    expect(block.text.length).toBeLessThanOrEqual(room);
    const tighter = (await sampleTexts(long, block.text.length - 200)).rule;
    expect(textRules.indexOf(tighter) === -1 || textRules.indexOf(tighter) > textRules.indexOf(rule)).toBe(
      true,
    );
  });

  it('gives up the texts before the verdicts', async () => {
    const { rule } = await sampleTexts(placed, 10);
    expect(rule).toBe(noTexts);
    expect(rule.words).toContain('but not their texts');
  });
});
