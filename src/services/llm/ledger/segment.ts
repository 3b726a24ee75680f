/**
 * A segment as bytes: JSON Lines in consecutive zstd frames (`zstd -dc` prints it), and its key index
 * (`segmentIndex.ts`), which says in which frame, and where in it, each answer lies.
 */
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { sha256Hex } from '../../store/hash.ts';
import { mapLimit } from '../../store/parallel.ts';
import { encodeIndex, ENTRY_BYTES, writeEntry, type SegmentSource } from './segmentIndex.ts';

/** Uncompressed bytes after which a frame ends: what has to be decompressed to read one answer. */
const FRAME_BYTES = 128 * 1024;
/** Frames compressed at once, in threads of their own. */
const PARALLEL_FRAMES = 4;
const compress = promisify(zstdCompress);

export interface SegmentLine {
  readonly key: string;
  /** One JSON line in UTF-8 with its newline. */
  readonly bytes: Buffer;
}

export interface EncodedSegment {
  readonly segment: Buffer;
  readonly index: Buffer;
}

/** Equal lines make equal bytes. `sources` of a merged segment: whose rows it holds, in order. */
export async function encodeSegment(
  lines: readonly SegmentLine[],
  sources?: readonly SegmentSource[],
): Promise<EncodedSegment> {
  const contents: Buffer[][] = [];
  const entries = Buffer.alloc(lines.length * ENTRY_BYTES);
  let frame: Buffer[] = [];
  let offset = 0;
  for (const [row, { key, bytes }] of lines.entries()) {
    if (offset === 0) contents.push(frame);
    writeEntry(entries, row, key, { frame: contents.length - 1, offset, bytes: bytes.length });
    frame.push(bytes);
    offset += bytes.length;
    if (offset < FRAME_BYTES) continue;
    frame = [];
    offset = 0;
  }
  const frames = await mapLimit(contents, PARALLEL_FRAMES, (content) =>
    compress(Buffer.concat(content), { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  );
  const segment = Buffer.concat(frames);
  const index = encodeIndex(
    {
      segmentSha256: sha256Hex(segment),
      segmentBytes: segment.length,
      rows: lines.length,
      frameBytes: frames.map(({ length }) => length),
      ...(sources === undefined ? {} : { sources: [...sources] }),
    },
    entries,
  );
  return { segment, index };
}
