/** JSON Lines → raw records. Lines end at \n only. */
import { parseJson } from './parseJson.ts';
import type { RawRecord } from './readRecords.ts';
import type { SourceFile } from './sourceFiles.ts';
import { textBytes } from './textBytes.ts';
import { unreadable } from './unreadable.ts';

/** A longer line means that this is not JSON Lines. */
const MAX_LINE_BYTES = 64 * 2 ** 20;
const NEWLINE = 0x0a;

export async function* readJsonLines(file: SourceFile): AsyncGenerator<RawRecord> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of textBytes(file)) {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      const line =
        pendingBytes === 0 ? rest.subarray(0, end) : Buffer.concat([...pending, rest.subarray(0, end)]);
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
      yield* parseJson(line, 'the line');
    }
    if (rest.length > 0) pending.push(rest);
    pendingBytes += rest.length;
    if (pendingBytes > MAX_LINE_BYTES)
      throw unreadable(
        `a line of ${file.name} is longer than ${MAX_LINE_BYTES} bytes: this is not JSON Lines.`,
      );
  }
  for (const record of parseJson(Buffer.concat(pending), 'the line')) {
    const isTorn = record.kind === 'bad' && pendingBytes > 0;
    yield isTorn ? { ...record, problem: `${record.problem}: the last one, torn` } : record;
  }
}
