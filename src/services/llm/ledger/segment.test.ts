import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../store/hash.ts';
import { KeyIndex } from './keyIndex.ts';
import { encodeSegment, SegmentIndex } from './segment.ts';

const lines = Array.from({ length: 700 }, (_, at) => {
  const key = sha256Hex(`key ${at}`);
  return { key, text: `${JSON.stringify({ key, text: 'ü'.repeat(at) })}\n` };
});

function indexOf(rows: typeof lines, name = 'a'): { index: SegmentIndex; segment: Buffer; name: string } {
  const { segment, index } = encodeSegment(rows);
  return { segment, index: new SegmentIndex(index, 'x.idx'), name };
}

describe('a segment', () => {
  test('gives back every line, over several frames', () => {
    const { segment, index, name } = indexOf(lines);
    expect(index.header.frameBytes.length).toBeGreaterThan(2);
    const keys = new KeyIndex();
    keys.add({ name, index });
    for (const { key, text } of lines) {
      const location = keys.find(key);
      if (location === null) throw new Error(`${key} is not found`);
      const { frame, offset, bytes } = index.addressAt(location.row);
      expect(
        index
          .frameOf(segment, frame, 'x')
          .subarray(offset, offset + bytes)
          .toString(),
      ).toBe(text);
    }
    expect(keys.find(sha256Hex('another'))).toBeNull();
  });

  test('is the same bytes for the same lines', () => {
    expect(encodeSegment(lines).segment.equals(encodeSegment(lines).segment)).toBe(true);
  });

  test('is plain zstd: the frames in a row are the lines', () => {
    const { segment, index } = indexOf(lines);
    let at = 0;
    const texts = index.header.frameBytes.map((bytes) =>
      zstdDecompressSync(segment.subarray(at, (at += bytes))).toString(),
    );
    expect(texts.join('')).toBe(lines.map(({ text }) => text).join(''));
  });

  test('may be empty', () => {
    const { index, segment } = indexOf([]);
    expect([index.rows, segment.length]).toEqual([0, 0]);
  });

  test('one flipped bit anywhere is BLOB_CORRUPT', () => {
    const { segment, index } = encodeSegment(lines);
    for (const at of [0, 9, 40, index.length >> 1, index.length - 1]) {
      const broken = Buffer.from(index);
      broken.writeUInt8(broken.readUInt8(at) ^ 1, at);
      expect(() => new SegmentIndex(broken, 'x.idx')).toThrow(
        expect.objectContaining({ code: 'BLOB_CORRUPT' }),
      );
    }
    const sound = new SegmentIndex(index, 'x.idx');
    const broken = Buffer.from(segment);
    broken.writeUInt8(broken.readUInt8(99) ^ 1, 99);
    expect(() => sound.checkSegment(broken, 'x')).toThrow(expect.objectContaining({ code: 'BLOB_CORRUPT' }));
    expect(() => new SegmentIndex(index.subarray(0, 20), 'x.idx')).toThrow(
      expect.objectContaining({ code: 'BLOB_CORRUPT' }),
    );
  });
});

describe('KeyIndex', () => {
  test('the segment with the lowest name wins, in whatever order they are added', () => {
    const [first, second, third] = ['a', 'b', 'c'].map((name) => indexOf(lines.slice(0, 10), name));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three segments');
    for (const order of [
      [first, second, third],
      [third, second, first],
      [second, third, first],
    ]) {
      const keys = new KeyIndex();
      for (const segment of order) keys.add(segment);
      for (const { key } of lines.slice(0, 10)) expect(keys.find(key)?.segment.name).toBe('a');
      expect([keys.keys, keys.duplicates, keys.segments]).toEqual([10, 20, 3]);
    }
  });

  test('the first line wins inside a segment', () => {
    const keys = new KeyIndex();
    keys.add(indexOf([...lines.slice(0, 2), ...lines.slice(0, 2)]));
    expect(keys.find(lines[1]?.key ?? '')?.row).toBe(1);
    expect(keys.duplicates).toBe(2);
  });

  test('adding the same segment again changes nothing', () => {
    const keys = new KeyIndex();
    const segment = indexOf(lines);
    keys.add(segment);
    keys.add(segment);
    expect([keys.keys, keys.duplicates, keys.segments]).toEqual([700, 0, 1]);
  });
});
