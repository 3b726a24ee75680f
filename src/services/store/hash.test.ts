import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { CRC_PIECE_BYTES, crcToBase64, digestOfFile, sha256Hex } from './hash.ts';

it.each([0, 1, CRC_PIECE_BYTES, 2 * CRC_PIECE_BYTES + 5])(
  'knows a file of %i bytes, whole and by pieces, from one reading',
  async (size) => {
    const dir = await mkdtemp(join(tmpdir(), 'secpi-hash-'));
    try {
      const bytes = randomBytes(size);
      await writeFile(join(dir, 'file'), bytes);
      const pieces: number[] = [];
      for (let at = 0; at < size; at += CRC_PIECE_BYTES)
        pieces.push(crc32(bytes.subarray(at, at + CRC_PIECE_BYTES)));
      expect(await digestOfFile(join(dir, 'file'))).toEqual({
        sha256: sha256Hex(bytes),
        bytes: size,
        crc32: crc32(bytes),
        pieces,
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  },
);

it('writes a CRC-32 as S3 does', () => {
  // The check value of CRC-32/ISO-HDLC over "123456789".
  expect(crcToBase64(crc32('123456789'))).toBe(Buffer.from('cbf43926', 'hex').toString('base64'));
});
