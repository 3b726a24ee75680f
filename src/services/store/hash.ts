/** SHA-256 of bytes, texts, streams and files, as lower-case hex. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Hashes as it streams: memory does not grow with the size. */
export async function sha256OfStream(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

export async function sha256OfFile(path: string): Promise<{ sha256: string; bytes: number }> {
  return sha256OfStream(createReadStream(path, { highWaterMark: 1024 * 1024 }));
}

/** The form in which S3 headers carry a SHA-256. */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
