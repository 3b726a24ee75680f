import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitLines } from './lines.ts';

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of splitLines(stream())) lines.push(line);
  return lines;
}

it('splits at newlines only', async () => {
  expect(await linesOf([Buffer.from('a\u2028b\rc\n\nd\n')])).toEqual(['a\u2028b\rc', 'd']);
  expect(await linesOf([Buffer.from('no newline at the end')])).toEqual(['no newline at the end']);
  expect(await linesOf([])).toEqual([]);
});

it('does not depend on where the chunks are cut, inside a character or not', async () => {
  const line = fc.string({ unit: 'binary' }).filter((text) => text !== '' && !text.includes('\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 7 }), async (lines, size) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const chunks: Uint8Array[] = [];
      for (let start = 0; start < bytes.length; start += size)
        chunks.push(bytes.subarray(start, start + size));
      expect(await linesOf(chunks)).toEqual(lines);
    }),
  );
});
