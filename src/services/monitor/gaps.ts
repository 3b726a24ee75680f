/** Nights that were due and left no record. Pure. */
import type { Gap } from '../../contract/trend.ts';

const HOUR_MS = 3_600_000;
/** A night may come late, by jitter or a host that was away; half a cadence is no missed night. */
const TOLERANCE = 1.5;

/** `scheduledAt` in any order; the gaps, oldest first. */
export function gapsOf(scheduledAt: readonly string[], cadenceHours: number): Gap[] {
  const times = [...new Set(scheduledAt)].toSorted((a, b) => Date.parse(a) - Date.parse(b));
  return times.slice(1).flatMap((before, index): Gap[] => {
    const after = times[index] ?? before;
    const cadences = (Date.parse(before) - Date.parse(after)) / (cadenceHours * HOUR_MS);
    return cadences > TOLERANCE ? [{ after, before, nights: Math.max(1, Math.round(cadences) - 1) }] : [];
  });
}
