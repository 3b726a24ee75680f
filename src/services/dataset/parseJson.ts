/** One row's bytes → a raw record; nothing for blanks. */
import { TextDecoder } from 'node:util';
import type { RawRecord } from './readRecords.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

export function* parseJson(bytes: Buffer, what: 'the line' | 'the element'): Generator<RawRecord> {
  let text: string;
  try {
    text = strictUtf8.decode(bytes);
  } catch {
    yield {
      kind: 'bad',
      problem: `${what} is not UTF-8`,
      excerpt: bytes.subarray(0, 120).toString('latin1'),
    };
    return;
  }
  if (text.trim() === '') return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    yield { kind: 'bad', problem: `${what} is not JSON`, excerpt: text.slice(0, 500) };
    return;
  }
  yield { kind: 'value', value };
}
