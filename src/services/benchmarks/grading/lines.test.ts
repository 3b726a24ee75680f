import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { readLines } from './lines.ts';

async function read(
  chunks: readonly (string | Buffer)[],
  maxBytes = 100,
): Promise<{ lines: string[]; tooLong: number }> {
  const stream = new PassThrough();
  const result = { lines: [] as string[], tooLong: 0 };
  readLines(
    stream,
    maxBytes,
    (line) => result.lines.push(line),
    () => (result.tooLong += 1),
  );
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await new Promise((resolve) => stream.once('end', resolve));
  return result;
}

it('joins and splits chunks, and drops a torn last line', async () => {
  expect(await read(['a\nb', 'c\n\nd\ne'])).toEqual({ lines: ['a', 'bc', '', 'd'], tooLong: 0 });
});

it('keeps a character whole that two chunks share', async () => {
  const [first, second] = [Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)];
  expect((await read([first, second])).lines).toEqual(['é']);
});

it('goes silent after a line that is too long', async () => {
  expect(await read(['ok\n', 'x'.repeat(60), 'x'.repeat(60), '\nlater\n'])).toEqual({
    lines: ['ok'],
    tooLong: 1,
  });
});
