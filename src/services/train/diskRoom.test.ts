import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { freeBytesOf, requireRoom } from './diskRoom.ts';

describe('room for checkpoints', () => {
  it('is measured on the disk itself', async () => {
    const free = await freeBytesOf(tmpdir());
    await requireRoom(tmpdir(), Math.floor(free / 10));
    await expect(requireRoom(tmpdir(), free)).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  it('is refused with figures when two do not fit', async () => {
    const gib = 1024 ** 3;
    const lacking = requireRoom('/state', 3 * gib, () => Promise.resolve(5 * gib));
    await expect(lacking).rejects.toThrow(
      '/state has 5120.0 MiB free; two checkpoints of 3072.0 MiB need 6144.0 MiB.',
    );
    await requireRoom('/state', 3 * gib, () => Promise.resolve(6 * gib));
  });
});
