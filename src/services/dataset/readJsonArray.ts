/** A JSON array → raw records, element by element: the document is never held whole. */
import { parseJson } from './parseJson.ts';
import type { RawRecord } from './readRecords.ts';
import type { SourceFile } from './sourceFiles.ts';
import { textBytes } from './textBytes.ts';
import { unreadable } from './unreadable.ts';

const MAX_ELEMENT_BYTES = 64 * 2 ** 20;
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Depth 0 is outside the array, 1 between its elements. */
export async function* readJsonArray(file: SourceFile): AsyncGenerator<RawRecord> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let depth = 0;
  let inText = false;
  let isEscaped = false;
  let isClosed = false;
  const element = (last: Buffer): Generator<RawRecord> => {
    const whole = Buffer.concat([...pending, last]);
    pending = [];
    pendingBytes = 0;
    return parseJson(whole, 'the element');
  };
  for await (const chunk of textBytes(file)) {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (inText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) inText = false;
        continue;
      }
      if (depth === 0) {
        if (byte === OPEN_LIST && !isClosed) {
          depth = 1;
          start = at + 1;
        } else if (!isBlank(byte)) throw notArray(file);
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN_LIST || byte === OPEN_MAP) depth += 1;
      else if (byte === CLOSE_MAP || (byte === CLOSE_LIST && depth > 1)) depth = Math.max(1, depth - 1);
      else if ((byte === COMMA || byte === CLOSE_LIST) && depth === 1) {
        yield* element(chunk.subarray(start, at));
        start = at + 1;
        if (byte === CLOSE_LIST) {
          depth = 0;
          isClosed = true;
        }
      }
    }
    if (depth === 0) continue;
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_ELEMENT_BYTES)
      throw unreadable(`an element of ${file.name} is longer than ${MAX_ELEMENT_BYTES} bytes.`);
  }
  if (!isClosed)
    throw unreadable(`${file.name} is not a whole JSON array: it is cut.`, {
      remedy: 'Copy the file again, or give JSON Lines.',
    });
}

/** Blanks of JSON, and the bytes of a byte order mark. */
function isBlank(byte: number): boolean {
  return [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].includes(byte);
}

function notArray(file: SourceFile): Error {
  return unreadable(`${file.name} is not one JSON array of rows.`, {
    remedy: 'Set dataset.format to "jsonl" where it is JSON Lines.',
  });
}
