import { describe, expect, it } from 'vitest';
import { createLeaving } from './leaving.ts';
import type { PreemptionSource } from '../services/gpu/types.ts';

describe('leaving', () => {
  const at = (seconds: number, from: PreemptionSource = 'aws') => ({
    from,
    reason: 'terminate',
    deadlineMs: seconds * 1000,
  });
  let nowSeconds = 0;
  const leaving = () => {
    nowSeconds = 0;
    const made = createLeaving(30_000, () => nowSeconds * 1000);
    return { ...made, graceSeconds: () => made.graceMs() / 1000 };
  };

  it('has the whole grace period while nothing is known', () => {
    const { graceSeconds, notice } = leaving();
    nowSeconds = 500;
    expect(graceSeconds()).toBe(30);
    expect(notice()).toBeNull();
  });

  it('counts down from the first signal', () => {
    const { graceSeconds, signalled } = leaving();
    signalled();
    nowSeconds = 10;
    signalled();
    expect(graceSeconds()).toBe(20);
    nowSeconds = 40;
    expect(graceSeconds()).toBe(0);
  });

  it('counts down to the deadline of the first notice', () => {
    const { graceSeconds, noticed, notice } = leaving();
    noticed(at(118));
    noticed(at(500));
    nowSeconds = 8;
    expect(graceSeconds()).toBe(110);
    expect(notice()?.deadlineMs).toBe(118_000);
  });

  it('takes the earlier of both, but what a pod tells above its signal', () => {
    const cloud = leaving();
    cloud.noticed(at(118));
    nowSeconds = 20;
    cloud.signalled();
    expect(cloud.graceSeconds()).toBe(30);
    const pod = leaving();
    pod.signalled();
    pod.noticed(at(90, 'kubernetes'));
    expect(pod.graceSeconds()).toBe(90);
  });
});
