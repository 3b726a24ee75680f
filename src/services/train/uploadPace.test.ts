import { describe, expect, it } from 'vitest';
import { createUploadPace, stepsAtRisk } from './uploadPace.ts';

describe('the pace of uploads', () => {
  const paced = (seconds: readonly number[]): (string | null)[] => {
    const pace = createUploadPace();
    pace.written(20, 0);
    pace.written(40, 10_000);
    return seconds.map((took) => pace.published(took, 3));
  };

  it('is told once when it falls behind, with figures, and once when it keeps up again', () => {
    const [first, behind, still, wavering, again, well] = paced([4, 15, 40, 9, 7, 4]);
    expect([first, still, wavering, well]).toEqual([null, null, null, null]);
    expect(behind).toBe(
      'the upload of a checkpoint takes 15.0 s, but one is written every 10.0 s (20 steps): those in between are skipped (3 so far), and a loss repeats at most 80 steps. A longer interval or faster storage mends it.',
    );
    expect(again).toBe(
      'the upload of a checkpoint takes 7.0 s and keeps up again with one every 10.0 s (20 steps).',
    );
  });

  it('is not judged before there is an interval, and a step written twice is none', () => {
    const pace = createUploadPace();
    expect(pace.published(1000, 0)).toBeNull();
    pace.written(20, 0);
    pace.written(20, 5);
    expect(pace.published(1000, 0)).toBeNull();
  });

  it.each([
    [{ steps: 20, seconds: 10 }, 10, 60],
    [{ steps: 20, seconds: 10 }, 25, 120],
    [{ steps: 1, seconds: 3 }, 1, 2],
  ])('puts at risk, at %o with uploads of %d s, %d steps', (interval, uploadSeconds, steps) => {
    expect(stepsAtRisk(interval, uploadSeconds)).toBe(steps);
  });
});
