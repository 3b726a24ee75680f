import { expect, test } from 'vitest';
import { createGuards, type Guards } from './guards.ts';

const MINUTE_MS = 60_000;

/** Looks every second of a clock that is told. */
async function lookFor(guards: Guards, clock: { ms: number }, minutes: number): Promise<string | null> {
  const end = clock.ms + minutes * MINUTE_MS;
  while (clock.ms < end) {
    clock.ms += 1000;
    const error = await guards.look();
    if (error !== null) return error.problem;
  }
  return null;
}

function guardsOf(utilisation: number | null, limits = { stallMinutes: 30, idleMinutes: 15 }) {
  const clock = { ms: 0 };
  const used = { percent: utilisation };
  const guards = createGuards(
    // A pid that no process has: only the GPU tells.
    { pid: 2 ** 30, gpuIndex: 0 },
    limits,
    { gpuUtilisation: async () => used.percent },
    () => clock.ms,
  );
  return { clock, used, guards };
}

test('a trainer that says nothing stalls, though its GPU works', async () => {
  const { clock, guards } = guardsOf(98);
  guards.progress(true);
  expect(await lookFor(guards, clock, 29)).toBeNull();
  guards.progress(true);
  expect(await lookFor(guards, clock, 29)).toBeNull();
  expect(await lookFor(guards, clock, 2)).toMatch(/said nothing for 30 minutes/);
});

test('a GPU that does nothing between steps is idle', async () => {
  const { clock, guards, used } = guardsOf(0, { stallMinutes: 60, idleMinutes: 15 });
  guards.progress(true);
  expect(await lookFor(guards, clock, 14)).toBeNull();
  used.percent = 50;
  expect(await lookFor(guards, clock, 1)).toBeNull();
  used.percent = 0;
  expect(await lookFor(guards, clock, 14)).toBeNull();
  expect(await lookFor(guards, clock, 2)).toMatch(/GPU 0 did nothing for 15 minutes/);
});

test('while it loads or exports, an idle GPU is none', async () => {
  const { clock, guards } = guardsOf(0);
  guards.progress(false);
  expect(await lookFor(guards, clock, 29)).toBeNull();
});

test('a night of sleep of the machine is not the trainer’s', async () => {
  const { clock, guards } = guardsOf(0);
  guards.progress(true);
  expect(await lookFor(guards, clock, 1)).toBeNull();
  clock.ms += 600 * MINUTE_MS;
  expect(await lookFor(guards, clock, 1)).toBeNull();
});
