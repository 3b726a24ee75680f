/** Whether a notice leaves the time to save: a save that does not arrive in the store costs time and brings nothing. */

/** The rest is for the worker's own end and for what is measured too low. */
const USABLE_SHARE = 0.8;

export interface GraceFacts {
  /** Until the machine goes. */
  readonly graceMs: number;
  /** A mean step; null before the first. */
  readonly stepSeconds: number | null;
  /** Since the last step ended. */
  readonly secondsIntoStep: number;
  /** The last save; null before the first. */
  readonly saveSeconds: number | null;
  /** What must still go up: the last checkpoint's size, once more for one that is on its way. */
  readonly uploadBytes: number | null;
  readonly uploadBytesPerSecond: number | null;
}

export interface GraceDecision {
  readonly saves: boolean;
  /** What it was decided by, for people. */
  readonly note: string;
}

/**
 * Saves when the rest of the step, the save and the upload fit into 0.8 of the grace. What was never measured counts
 * as nothing: to try is the better guess, and the deadline still holds.
 */
export function decideGrace(facts: GraceFacts): GraceDecision {
  const { graceMs, stepSeconds, secondsIntoStep, saveSeconds, uploadBytes, uploadBytesPerSecond } = facts;
  const step = stepSeconds === null ? 0 : Math.max(0, stepSeconds - secondsIntoStep);
  const save = saveSeconds ?? 0;
  const upload =
    uploadBytes === null || uploadBytesPerSecond === null || uploadBytesPerSecond <= 0
      ? 0
      : uploadBytes / uploadBytesPerSecond;
  const usable = Math.max(0, (graceMs / 1000) * USABLE_SHARE);
  const needs = `step ${step.toFixed(1)} s, save ${save.toFixed(1)} s, upload ${upload.toFixed(1)} s of ${usable.toFixed(1)} s`;
  return usable > 0 && step + save + upload <= usable
    ? { saves: true, note: `notice: saving and handing over (${needs})` }
    : { saves: false, note: `notice: leaving at once, a save would not fit (${needs})` };
}

/** How much of the grace the trainer and its upload may use. */
export const usableGraceMs = (graceMs: number): number => Math.max(0, graceMs * USABLE_SHARE);
