/** Values put aside on disk, as compressed JSON lines, and read back in their order: memory holds a chunk of them. */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { pipeline as pipelineDone } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { splitLines } from '../store/lines.ts';

const CHUNK_CHARACTERS = 64 * 1024;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export interface Spool<T> {
  append(value: T): Promise<void>;
  /** After the last append, before reading. */
  finish(): Promise<void>;
  read(): AsyncGenerator<T>;
  /** Ends the writing where it is not finished; the file stays. */
  close(): Promise<void>;
}

/** `parse` takes what JSON.parse made of a value that this spool wrote. */
export function createSpool<T>(path: string, parse: (value: unknown) => T): Spool<T> {
  const compressor = createZstdCompress(FAST);
  const written = pipelineDone(compressor, createWriteStream(path, { flags: 'wx' }));
  // Awaited in finish(); a write that fails before must not end the process.
  written.catch(() => undefined);
  let chunk = '';
  return {
    async append(value) {
      chunk += `${JSON.stringify(value)}\n`;
      if (chunk.length < CHUNK_CHARACTERS) return;
      const text = chunk;
      chunk = '';
      if (!compressor.write(text)) await Promise.race([once(compressor, 'drain'), written]);
    },
    async finish() {
      compressor.end(chunk);
      chunk = '';
      await written;
    },
    async *read() {
      // A failure of either stream destroys the other and is thrown by the loop.
      const bytes = pipeline(createReadStream(path), createZstdDecompress(), () => undefined);
      for await (const line of splitLines(bytes)) yield parse(JSON.parse(line));
    },
    async close() {
      compressor.destroy();
      await written.catch(() => undefined);
    },
  };
}
