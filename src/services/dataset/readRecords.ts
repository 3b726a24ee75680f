/** Cuts a source into raw records, one at a time; what cannot be read is a record with a problem, not a stop. */
import { TextDecoder } from 'node:util';
import { SecpiError } from '../../contract/errors.ts';
import type { DatasetSource } from './source.ts';

export type RawRecord =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly problem: string; readonly excerpt: string };

/** A JSON array is held in memory whole; larger ones must come as JSON Lines. */
const MAX_JSON_BYTES = 256 * 2 ** 20;
/** A longer line is reported as bad without being held. */
const MAX_LINE_BYTES = 64 * 2 ** 20;
const NEWLINE = 0x0a;

export async function* readRecords(source: DatasetSource): AsyncGenerator<RawRecord> {
  if (source.format === 'json') yield* readJsonArray(source);
  else yield* readJsonLines(source);
}

async function* readJsonArray(source: DatasetSource): AsyncGenerator<RawRecord> {
  if (source.bytes > MAX_JSON_BYTES) {
    throw new SecpiError(
      'DATASET_UNREADABLE',
      `a JSON array of ${source.bytes} bytes is too large to hold.`,
      {
        field: 'dataset.uri',
        remedy: 'Convert it to JSON Lines, e.g. with `jq -c ".[]"`.',
      },
    );
  }
  const chunks: Buffer[] = [];
  for await (const chunk of await source.open()) chunks.push(chunk as Buffer);
  const parsed = parseWhole(Buffer.concat(chunks));
  if (!Array.isArray(parsed)) {
    throw new SecpiError('DATASET_UNREADABLE', 'the JSON document is not an array of rows.', {
      field: 'dataset.uri',
    });
  }
  for (const value of parsed as unknown[]) yield { kind: 'value', value };
}

function parseWhole(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new SecpiError('DATASET_UNREADABLE', 'the file is not a JSON document in UTF-8.', {
      field: 'dataset.uri',
      cause,
    });
  }
}

async function* readJsonLines(source: DatasetSource): AsyncGenerator<RawRecord> {
  let first = true;
  for await (const line of splitLines(await source.open())) {
    if (first && line.includes(0)) {
      throw new SecpiError('DATASET_UNREADABLE', 'the file is binary, not JSON Lines.', {
        field: 'dataset.uri',
      });
    }
    first = false;
    const record = parseLine(line);
    if (record !== null) yield record;
  }
}

function parseLine(line: Buffer): RawRecord | null {
  const text = decode(line);
  if (text === null)
    return {
      kind: 'bad',
      problem: 'the line is not UTF-8',
      excerpt: line.subarray(0, 120).toString('latin1'),
    };
  if (text.trim() === '') return null;
  try {
    return { kind: 'value', value: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'bad', problem: 'the line is not JSON', excerpt: text.slice(0, 500) };
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string | null {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

async function* splitLines(stream: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of stream) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      yield Buffer.concat([...pending, rest.subarray(0, end)]);
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
    }
    if (pendingBytes + rest.length > MAX_LINE_BYTES) {
      throw new SecpiError(
        'DATASET_UNREADABLE',
        `a line is longer than ${MAX_LINE_BYTES} bytes: this is not JSON Lines.`,
        {
          field: 'dataset.uri',
        },
      );
    }
    if (rest.length > 0) pending.push(rest);
    pendingBytes += rest.length;
  }
  if (pendingBytes > 0) yield Buffer.concat(pending);
}
