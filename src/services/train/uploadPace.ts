/** Whether uploads keep up with the checkpoints, and what it costs when they do not. Pure. */

/** Uploads count as keeping up again below this share of the interval, so that the word does not flicker. */
const KEEPS_UP_SHARE = 0.8;

export interface UploadPace {
  /** A checkpoint was written. */
  written(step: number, atMs: number): void;
  /** A checkpoint is published after so long. Returns what to tell: on each change, and only then. */
  published(seconds: number, skipped: number): string | null;
}

export function createUploadPace(): UploadPace {
  let last: { step: number; atMs: number } | null = null;
  let interval: { steps: number; seconds: number } | null = null;
  let behind = false;
  return {
    written(step, atMs) {
      if (last !== null && step > last.step)
        interval = { steps: step - last.step, seconds: (atMs - last.atMs) / 1000 };
      last = { step, atMs };
    },
    published(seconds, skipped) {
      if (interval === null) return null;
      const isBehind = seconds > interval.seconds * (behind ? KEEPS_UP_SHARE : 1);
      if (isBehind === behind) return null;
      behind = isBehind;
      const every = `every ${interval.seconds.toFixed(1)} s (${interval.steps} steps)`;
      return isBehind
        ? `the upload of a checkpoint takes ${seconds.toFixed(1)} s, but one is written ${every}: those in between are skipped (${skipped} so far), and a loss repeats at most ${stepsAtRisk(interval, seconds)} steps. A longer interval or faster storage mends it.`
        : `the upload of a checkpoint takes ${seconds.toFixed(1)} s and keeps up again with one ${every}.`;
    },
  };
}

/**
 * Uploads one after another take the newest state, at most one interval old; it is published one upload later and
 * stays the newest for another upload.
 */
export function stepsAtRisk(interval: { steps: number; seconds: number }, uploadSeconds: number): number {
  return Math.ceil(
    (interval.steps * (interval.seconds + 2 * uploadSeconds)) / Math.max(interval.seconds, 1e-3),
  );
}
