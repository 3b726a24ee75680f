/**
 * Signatures and band keys of all rows in two scratch files. Keys lie in blocks of rows, band by band, so that one
 * band is read in a few large pieces; signatures lie row by row, 128 bytes each, and are read one at a time.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { readSync } from 'node:fs';
import { join } from 'node:path';
import { bandKey, type Banding } from './banding.ts';
import { PERMUTATIONS, writeBytes } from './minHash.ts';

const BLOCK_ROWS = 4096;
const KEY_BYTES = 4;

export interface SignatureFile {
  readonly rows: number;
  /** Rows count up from 0. Null: a row that is compared with none. */
  append(minima: Uint32Array | null): Promise<void>;
  /** After the last append, before the first read. */
  finish(): Promise<void>;
  isComparable(row: number): boolean;
  /** The keys of a band, bands counted over all bandings in the order given. */
  readBand(band: number, keys: Uint32Array): Promise<void>;
  /** 128 bytes at the offset. Synchronous: a read from the page cache takes microseconds. */
  readSignature(row: number, into: Uint8Array, offset: number): void;
  close(): Promise<void>;
}

export async function createSignatureFile(dir: string, bandings: readonly Banding[]): Promise<SignatureFile> {
  const bands = bandings.reduce((sum, banding) => sum + banding.bands, 0);
  const keyFile = await open(join(dir, 'bands.bin'), 'wx+');
  const byteFile = await open(join(dir, 'signatures.bin'), 'wx+');
  const keys = new Uint32Array(bands * BLOCK_ROWS);
  const bytes = new Uint8Array(PERMUTATIONS * BLOCK_ROWS);
  const blockBytes = bands * BLOCK_ROWS * KEY_BYTES;
  let comparable = new Uint8Array(BLOCK_ROWS);
  let rows = 0;
  let written = 0;

  async function flush(): Promise<void> {
    await writeWhole(keyFile, new Uint8Array(keys.buffer));
    await writeWhole(byteFile, bytes);
    written = rows;
  }

  return {
    get rows() {
      return rows;
    },
    async append(minima) {
      const place = rows % BLOCK_ROWS;
      if (rows === comparable.length) {
        const wider = new Uint8Array(2 * rows);
        wider.set(comparable);
        comparable = wider;
      }
      if (minima !== null) {
        comparable[rows] = 1;
        writeBytes(minima, bytes, place * PERMUTATIONS);
        let column = 0;
        for (const banding of bandings) {
          for (let band = 0; band < banding.bands; band += 1, column += 1)
            keys[column * BLOCK_ROWS + place] = bandKey(minima, band, banding);
        }
      }
      rows += 1;
      if (rows % BLOCK_ROWS === 0) await flush();
    },
    async finish() {
      if (written < rows) await flush();
    },
    isComparable: (row) => comparable[row] === 1,
    async readBand(band, into) {
      for (let first = 0; first < rows; first += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, rows - first);
        const target = new Uint8Array(into.buffer, into.byteOffset + first * KEY_BYTES, count * KEY_BYTES);
        const position = (first / BLOCK_ROWS) * blockBytes + band * BLOCK_ROWS * KEY_BYTES;
        await readWhole(keyFile, target, position);
      }
    },
    readSignature(row, into, offset) {
      const count = readSync(byteFile.fd, into, offset, PERMUTATIONS, row * PERMUTATIONS);
      if (count !== PERMUTATIONS) throw new Error(`the signature of row ${row} is cut at ${count} bytes`);
    },
    async close() {
      await keyFile.close();
      await byteFile.close();
    },
  };
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}

async function readWhole(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new Error('the file of band keys is cut');
    done += bytesRead;
  }
}
