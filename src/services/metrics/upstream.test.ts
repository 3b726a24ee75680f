import { describe, expect, it } from 'vitest';
import { verdictsOf } from './testVerdicts.ts';
import { upstreamScores } from './upstream.ts';

describe('upstreamScores', () => {
  it('lets lost samples leave the denominator, and a task that lost all leave the mean', () => {
    // By hand: a has results b, f, n; b has results s, b; c has none.
    const rows = verdictsOf([
      { taskId: 'a', samples: 'bfnn' },
      { taskId: 'b', samples: 'sbnn' },
      { taskId: 'c', samples: 'nnnn' },
    ]).map((row) => {
      const lost = row.taskId === 'c' || row.sample === 3 || (row.taskId === 'b' && row.sample === 2);
      return { ...row, upstream: lost ? null : { functional: row.functional, secure: row.secure } };
    });
    const { func, funcSec, n } = upstreamScores(rows);
    expect(func).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12);
    expect(funcSec).toBeCloseTo((1 / 3 + 1 / 2) / 2, 12);
    expect(n).toBe(5);
  });

  it('takes what the harness says, not the strict verdict', () => {
    const rows = verdictsOf([{ taskId: 'a', samples: 'nn' }], 'none', {
      upstream: { functional: true, secure: true },
    });
    expect(upstreamScores(rows)).toEqual({ func: 1, funcSec: 1, n: 2 });
  });

  it('is 0 of 0 where everything was lost', () => {
    expect(upstreamScores(verdictsOf([{ taskId: 'a', samples: 'bb' }]))).toEqual({
      func: 0,
      funcSec: 0,
      n: 0,
    });
  });
});
