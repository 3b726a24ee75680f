import { expect, test } from 'vitest';
import { Coalesced } from './coalesced.ts';
import { SingleFlight } from './singleFlight.ts';

test('who comes while a key is under way shares its value; later and other keys run their own', async () => {
  const single = new SingleFlight();
  let runs = 0;
  const work = async (): Promise<number> => {
    runs += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return runs;
  };
  const shared = await Promise.all([single.run('a', work), single.run('a', work), single.run('a', work)]);
  expect(shared).toEqual([
    { value: 1, first: true },
    { value: 1, first: false },
    { value: 1, first: false },
  ]);
  expect(await single.run('a', work)).toEqual({ value: 2, first: true });
  expect(
    (await Promise.all([single.run('a', work), single.run('b', work)])).every(({ first }) => first),
  ).toBe(true);
});

test('a failure is told to its own caller only; one of those who waited runs its own work for the rest', async () => {
  const single = new SingleFlight();
  const failing = single.run('a', async () => {
    await Promise.resolve();
    throw new Error('cancelled');
  });
  let runs = 0;
  const work = async (): Promise<string> => {
    runs += 1;
    await Promise.resolve();
    return 'answered';
  };
  const others = [single.run('a', work), single.run('a', work), single.run('a', work)];
  await expect(failing).rejects.toThrow('cancelled');
  expect((await Promise.all(others)).map(({ value, first }) => [value, first])).toEqual([
    ['answered', true],
    ['answered', false],
    ['answered', false],
  ]);
  expect(runs).toBe(1);
});

test('work that throws at once leaves the key free', async () => {
  const single = new SingleFlight();
  const broken = (): Promise<number> => {
    throw new Error('broken');
  };
  await expect(single.run('a', broken)).rejects.toThrow('broken');
  expect(await single.run('a', async () => 1)).toEqual({ value: 1, first: true });
});

test('coalesced work: a call never shares a run that began before it, and those who wait share one', async () => {
  const seen: number[] = [];
  let state = 0;
  const work = new Coalesced(async () => {
    const began = state;
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen.push(began);
  });
  state = 1;
  const first = work.run();
  await Promise.resolve();
  await Promise.resolve();
  state = 2;
  await Promise.all([first, work.run(), work.run(), work.run()]);
  expect(seen).toEqual([1, 2]);
});

test('a failure of coalesced work is told to those who shared it, and not to the next', async () => {
  let failure: Error | null = new Error('away');
  const work = new Coalesced(async () => {
    await Promise.resolve();
    if (failure !== null) throw failure;
  });
  const results = await Promise.allSettled([work.run(), work.run()]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  failure = null;
  await work.run();
});
