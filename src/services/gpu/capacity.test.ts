import { describe, expect, it } from 'vitest';
import { capacityOf, describeCapacity } from './capacity.ts';

const billions = (freeBytes: number): number[] => {
  const { loraParameters, qloraParameters, fullParameters } = capacityOf(freeBytes);
  return [loraParameters, qloraParameters, fullParameters].map((count) => count / 1e9);
};

describe('capacity', () => {
  it.each([
    // LoRA, QLoRA and full, in billions of parameters: from … to …
    [16e9, [1.5, 3], [3, 7], [0.2, 0.6]],
    [24e9, [4.5, 7], [9, 16], [0.5, 0.9]],
    [80e9, [25, 33], [65, 95], [3, 4]],
    [141e9, [48, 60], [130, 180], [6, 7.5]],
  ])('of %d bytes', (bytes, ...ranges) => {
    for (const [index, count] of billions(bytes).entries()) {
      expect(count).toBeGreaterThan(ranges[index]?.[0] ?? 0);
      expect(count).toBeLessThan(ranges[index]?.[1] ?? 0);
    }
  });

  it('grows with the memory, and 4 bits take more than 16, which take more than every weight', () => {
    let before = [0, 0, 0];
    for (const gigabytes of [12, 16, 24, 32, 48, 80, 96, 141, 192]) {
      const [lora = 0, qlora = 0, full = 0] = billions(gigabytes * 1e9);
      expect(qlora).toBeGreaterThan(lora);
      expect(lora).toBeGreaterThan(full);
      expect([lora, qlora, full].every((count, index) => count > (before[index] ?? 0))).toBe(true);
      before = [lora, qlora, full];
    }
  });

  it('is nothing where not even a small model fits', () => {
    expect(capacityOf(2e9)).toEqual({ loraParameters: 0, qloraParameters: 0, fullParameters: 0 });
    expect(describeCapacity(capacityOf(2e9))).toMatch(/^no LoRA, no QLoRA, no full parameters/);
  });

  it('is told in people’s words', () => {
    expect(
      describeCapacity({ loraParameters: 29.4e9, qloraParameters: 77.7e9, fullParameters: 3.66e9 }),
    ).toBe(
      'LoRA up to about 29 B, QLoRA up to about 77 B, full up to about 3.7 B parameters (bf16, 4,096 tokens, one row at a time, gradient checkpointing)',
    );
  });
});
