import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../store/hash.ts';
import { KeyIndex } from './keyIndex.ts';
import { encodeSegment, type SegmentLine } from './segment.ts';
import { linesOfFrame, SegmentIndex, type SegmentSource } from './segmentIndex.ts';

const lines = Array.from({ length: 700 }, (_, at) => {
  const key = sha256Hex(`key ${at}`);
  return { key, bytes: Buffer.from(`${JSON.stringify({ key, text: 'ü'.repeat(at) })}\n`) };
});

async function indexOf(
  rows: readonly SegmentLine[],
  name = 'a',
  sources?: readonly SegmentSource[],
): Promise<{ index: SegmentIndex; segment: Buffer; name: string }> {
  const { segment, index } = await encodeSegment(rows, sources);
  return { segment, index: new SegmentIndex(index, 'x.idx'), name };
}

describe('a segment', () => {
  test('gives back every line, over several frames', async () => {
    const { segment, index, name } = await indexOf(lines);
    expect(index.frames).toBeGreaterThan(2);
    const keys = new KeyIndex();
    keys.add({ name, index });
    for (const { key, bytes } of lines) {
      const location = keys.find(key);
      if (location === null) throw new Error(`${key} is not found`);
      const address = index.addressAt(location.row);
      const range = index.rangeOf(address.frame);
      const frame = await linesOfFrame(segment.subarray(range.start, range.start + range.bytes), 'x');
      expect(frame.subarray(address.offset, address.offset + address.bytes)).toEqual(bytes);
    }
    expect(keys.find(sha256Hex('another'))).toBeNull();
  });

  test('is the same bytes for the same lines', async () => {
    expect((await encodeSegment(lines)).segment.equals((await encodeSegment(lines)).segment)).toBe(true);
  });

  test('is plain zstd: the frames in a row are the lines', async () => {
    const { segment, index } = await indexOf(lines);
    let at = 0;
    const texts = index.header.frameBytes.map((bytes) =>
      zstdDecompressSync(segment.subarray(at, (at += bytes))).toString(),
    );
    expect(texts.join('')).toBe(lines.map(({ bytes }) => bytes.toString()).join(''));
  });

  test('may be empty', async () => {
    const { index, segment } = await indexOf([]);
    expect([index.rows, segment.length]).toEqual([0, 0]);
  });

  test('one flipped bit anywhere is BLOB_CORRUPT', async () => {
    const { segment, index } = await encodeSegment(lines);
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
    const { start, bytes } = sound.rangeOf(0);
    await expect(linesOfFrame(broken.subarray(start, start + bytes), 'x')).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
    });
    await expect(linesOfFrame(segment.subarray(start, start + bytes - 1), 'x')).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
    });
    expect(() => new SegmentIndex(index.subarray(0, 20), 'x.idx')).toThrow(
      expect.objectContaining({ code: 'BLOB_CORRUPT' }),
    );
  });
});

/** All orders of three. */
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

describe('KeyIndex', () => {
  test.each(ORDERS)(
    'the segment with the lowest name wins, added in the order %i %i %i',
    async (...order) => {
      const keys = new KeyIndex();
      for (const at of order) keys.add(await indexOf(lines.slice(0, 10), 'abc'.charAt(at)));
      for (const { key } of lines.slice(0, 10)) expect(keys.find(key)?.segment.name).toBe('a');
      expect([keys.keys, keys.duplicates, keys.segments.length]).toEqual([10, 20, 3]);
    },
  );

  test('the first line wins inside a segment', async () => {
    const keys = new KeyIndex();
    keys.add(await indexOf([...lines.slice(0, 2), ...lines.slice(0, 2)]));
    expect(keys.find(lines[1]?.key ?? '')?.row).toBe(1);
    expect(keys.duplicates).toBe(2);
  });

  test('adding the same segment again changes nothing', async () => {
    const keys = new KeyIndex();
    const segment = await indexOf(lines);
    keys.add(segment);
    keys.add(segment);
    expect([keys.keys, keys.duplicates, keys.segments.length]).toEqual([700, 0, 1]);
  });
});

describe('a merged segment', () => {
  const [one, two, three] = [lines.slice(0, 5), lines.slice(3, 8), lines.slice(6, 12)];
  const merged = (name: string, ...sources: [string, readonly SegmentLine[]][]) =>
    indexOf(
      sources.flatMap(([, rows]) => rows),
      name,
      sources.map(([source, rows]) => ({ name: source, rows: rows.length })),
    );

  test.each(ORDERS)('takes the place of its sources, added in the order %i %i %i', async (...order) => {
    const keys = new KeyIndex();
    const all = [
      await indexOf(one, '1'),
      await indexOf(three, '3'),
      await merged('m1', ['1', one], ['3', three]),
    ];
    for (const at of order) {
      const segment = all[at];
      if (segment !== undefined) keys.add(segment);
    }
    expect(keys.segments.map(({ name }) => name)).toEqual(['m1']);
    expect([keys.keys, keys.duplicates]).toEqual([11, 0]);
    expect(['1', '3'].map((name) => keys.successorOf(name)?.name)).toEqual(['m1', 'm1']);
    expect(['m1', '2'].map((name) => keys.successorOf(name))).toEqual([null, null]);
    for (const { key } of [...one, ...three]) expect(keys.find(key)?.segment.name).toBe('m1');
  });

  test.each(ORDERS)(
    'keeps the order of its rows against others, added in the order %i %i %i',
    async (...order) => {
      const keys = new KeyIndex();
      // Row 6 and 7: in segment 2 first; row 3 and 4: in segment 1.
      const all = [
        await merged('m1', ['1', one], ['3', three]),
        await indexOf(two, '2'),
        await indexOf(three, '3'),
      ];
      for (const at of order) {
        const segment = all[at];
        if (segment !== undefined) keys.add(segment);
      }
      const holders = lines.slice(0, 12).map(({ key }) => keys.find(key)?.segment.name);
      expect(holders.join(' ')).toBe('m1 m1 m1 m1 m1 2 2 2 m1 m1 m1 m1');
      expect([keys.keys, keys.duplicates]).toEqual([12, 4]);
    },
  );

  test.each(ORDERS)(
    'of a later generation takes the place of an earlier, in the order %i %i %i',
    async (...order) => {
      const keys = new KeyIndex();
      const all = [
        await merged('m1', ['1', one], ['2', two]),
        await indexOf(three, '3'),
        await merged('m2', ['1', one], ['2', two], ['3', three]),
      ];
      for (const at of order) {
        const segment = all[at];
        if (segment !== undefined) keys.add(segment);
      }
      expect(keys.segments.map(({ name }) => name)).toEqual(['m2']);
      expect(['1', '2', '3', 'm1'].map((name) => keys.successorOf(name)?.name)).toEqual([
        'm2',
        'm2',
        'm2',
        'm2',
      ]);
      expect([keys.keys, keys.duplicates]).toEqual([12, 4]);
    },
  );

  test('two that hold the same never stand for each other: only the later may replace', async () => {
    for (const order of [
      ['m1', 'm2'],
      ['m2', 'm1'],
    ]) {
      const keys = new KeyIndex();
      for (const name of order) keys.add(await merged(name, ['1', one], ['2', two]));
      expect([keys.successorOf('m1')?.name, keys.successorOf('m2')]).toEqual(['m2', null]);
      expect([keys.keys, keys.duplicates]).toEqual([8, 2]);
    }
  });
});
