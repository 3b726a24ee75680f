/** Row numbers sorted by a 32-bit key: two stable counting passes over 16 bits, in typed arrays that are reused. */
import type { Breath } from '../breath.ts';

const RADIX = 65_536;
/** Rows between two looks at the clock. */
const STRIDE = 65_536;

export interface KeySorter {
  /** Rows with equal keys stay in their order. The result is valid until the next call. */
  sort(rows: Uint32Array, keys: Uint32Array, breath: Breath): Promise<Uint32Array>;
}

export function createKeySorter(rows: number): KeySorter {
  const first = new Uint32Array(rows);
  const second = new Uint32Array(rows);
  const starts = new Uint32Array(RADIX + 1);

  async function pass(
    from: Uint32Array,
    into: Uint32Array,
    keys: Uint32Array,
    shift: number,
    breath: Breath,
  ): Promise<void> {
    starts.fill(0);
    for (let at = 0; at < from.length; at += STRIDE) {
      const end = Math.min(from.length, at + STRIDE);
      for (let index = at; index < end; index += 1) {
        const digit = ((keys[from[index] ?? 0] ?? 0) >>> shift) & 0xffff;
        starts[digit + 1] = (starts[digit + 1] ?? 0) + 1;
      }
      if (breath.due()) await breath.take();
    }
    for (let digit = 1; digit <= RADIX; digit += 1)
      starts[digit] = (starts[digit] ?? 0) + (starts[digit - 1] ?? 0);
    for (let at = 0; at < from.length; at += STRIDE) {
      const end = Math.min(from.length, at + STRIDE);
      for (let index = at; index < end; index += 1) {
        const row = from[index] ?? 0;
        const digit = ((keys[row] ?? 0) >>> shift) & 0xffff;
        const place = starts[digit] ?? 0;
        into[place] = row;
        starts[digit] = place + 1;
      }
      if (breath.due()) await breath.take();
    }
  }

  return {
    async sort(rowNumbers, keys, breath) {
      const low = first.subarray(0, rowNumbers.length);
      const whole = second.subarray(0, rowNumbers.length);
      await pass(rowNumbers, low, keys, 0, breath);
      await pass(low, whole, keys, 16, breath);
      return whole;
    },
  };
}
