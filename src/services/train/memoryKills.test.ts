import { expect, test } from 'vitest';
import { watchMemoryKills } from './memoryKills.ts';

/** Seconds of sampling at every turn; kills counted at these seconds. */
async function riseAfter(
  seconds: number,
  killedAt: readonly number[],
  asleepFrom = seconds,
): Promise<number> {
  let ms = 0;
  const count = async (): Promise<number> => 7 + killedAt.filter((at) => at * 1000 <= ms).length;
  const kills = watchMemoryKills(count, () => ms);
  for (; ms < Math.min(seconds, asleepFrom) * 1000; ms += 100) await kills.sample();
  ms = seconds * 1000;
  return await kills.rise();
}

test.each<[string, Parameters<typeof riseAfter>, number]>([
  ['a kill just before the end', [60, [60]], 1],
  ['a kill whose memory took seconds to give back', [60, [53]], 1],
  ['a kill in the first second', [1, [1]], 1],
  ['a kill elsewhere, minutes before', [300, [120]], 0],
  ['both: only the late one counts', [300, [120, 299]], 1],
  ['a kill while the machine slept', [4000, [2000], 60], 0],
])('%s', async (_name, input, expected) => {
  expect(await riseAfter(...input)).toBe(expected);
});
