import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { countActivities, watchIdle, type Activity } from './idle.ts';

/** As the SDK calls an interceptor around a task. */
async function runTask(activity: Activity, task: () => Promise<unknown>): Promise<unknown> {
  const context = {} as Parameters<Activity['interceptor']>[0];
  return await activity
    .interceptor(context)
    .inbound?.execute?.({ args: [], headers: {} }, async () => await task());
}

describe('an idle worker', () => {
  it('counts tasks from their first to their last line, failed ones too', async () => {
    const activity = countActivities();
    await delay(30);
    expect(activity.idleMs()).toBeGreaterThan(20);
    const ending = Promise.withResolvers<never>();
    const task = runTask(activity, async () => await ending.promise);
    await delay(10);
    expect([activity.running, activity.idleMs()]).toEqual([1, 0]);
    ending.reject(new Error('failed'));
    await expect(task).rejects.toThrow('failed');
    expect(activity.running).toBe(0);
    expect(activity.idleMs()).toBeLessThan(25);
  });

  it('leaves once nothing has run for long enough, and no trainer lives', async () => {
    const activity = countActivities();
    let trainer = true;
    let idle = 0;
    const watch = watchIdle({
      activity,
      afterMs: 500,
      hasTrainer: async () => trainer,
      onIdle: () => (idle += 1),
      onTrouble: (error) => expect.fail(String(error)),
    });
    const task = runTask(activity, async () => await delay(2200));
    await task;
    expect(idle).toBe(0);
    await delay(1500);
    expect(idle).toBe(0);
    trainer = false;
    await delay(3000);
    watch.stop();
    expect(idle).toBe(1);
  });
});
