/** Splits bytes into lines at `\n` only: other line ends (U+2028, a lone `\r`) may stand inside JSON texts. */

const NEWLINE = 0x0a;

/** A last line without its newline is given out too; empty lines are left out. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      if (line !== '') yield line;
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  const last = Buffer.concat(pending).toString('utf8');
  if (last !== '') yield last;
}
