/** Lines of a stream of bytes, with a bound on what one line may hold. */
import type { Readable } from 'node:stream';

/** Calls `onLine` for each whole line; after a line longer than `maxBytes` it calls `onTooLong` and goes silent. */
export function readLines(
  stream: Readable,
  maxBytes: number,
  onLine: (line: string) => void,
  onTooLong: () => void,
): void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let silent = false;
  stream.on('data', (chunk: Buffer) => {
    let rest = chunk;
    while (!silent) {
      const end = rest.indexOf(0x0a);
      const piece = end === -1 ? rest : rest.subarray(0, end);
      pending.push(piece);
      pendingBytes += piece.length;
      if (pendingBytes > maxBytes) {
        silent = true;
        onTooLong();
        return;
      }
      if (end === -1) return;
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
      onLine(line);
    }
  });
}
