/**
 * Whether the kernel ended a process for lack of memory in the moments before a trainer's end. Its count is of the
 * whole machine: a rise long before says nothing about this trainer.
 */
const SAMPLE_EVERY_MS = 2000;
/** A large process is seen to end some seconds after it was killed: its memory is given back first. */
const WITHIN_MS = 10_000;

export interface MemoryKills {
  /** To be called at every turn; it asks every 2 s. */
  sample(): Promise<void>;
  /**
   * By how many the count rose within the last 10 s; 0 when it was not looked at within them (the machine slept).
   */
  rise(): Promise<number>;
}

export function watchMemoryKills(
  count: () => Promise<number>,
  now: () => number = () => performance.now(),
): MemoryKills {
  let samples: { readonly atMs: number; readonly kills: number }[] = [];
  const recent = (): typeof samples => samples.filter(({ atMs }) => now() - atMs <= WITHIN_MS);
  return {
    async sample() {
      const last = samples.at(-1);
      if (last !== undefined && now() - last.atMs < SAMPLE_EVERY_MS) return;
      samples = [...recent(), { atMs: now(), kills: await count() }];
    },
    async rise() {
      const [first] = recent();
      return first === undefined ? 0 : (await count()) - first.kills;
    },
  };
}
