/** When this host goes away: by a notice of the cloud, by a signal to the process, or not that anybody knows. */
import type { PreemptionNotice } from '../services/gpu/types.ts';

export interface Leaving {
  readonly notice: () => PreemptionNotice | null;
  /** Milliseconds left for saving and leaving; the whole grace period while nothing is known. */
  readonly graceMs: () => number;
  noticed(notice: PreemptionNotice): void;
  readonly signalled: () => void;
}

export function createLeaving(gracePeriodMs: number, now: () => number = Date.now): Leaving {
  let notice: PreemptionNotice | null = null;
  let signalDeadlineMs: number | null = null;

  function deadlineMs(): number | null {
    if (notice === null) return signalDeadlineMs;
    // What the kubelet allows is told by the pod; its SIGTERM says nothing else.
    if (signalDeadlineMs === null || notice.from === 'kubernetes') return notice.deadlineMs;
    return Math.min(notice.deadlineMs, signalDeadlineMs);
  }

  return {
    notice: () => notice,
    graceMs: () => {
      const deadline = deadlineMs();
      return deadline === null ? gracePeriodMs : Math.max(0, deadline - now());
    },
    noticed: (told) => {
      notice ??= told;
    },
    signalled: () => {
      signalDeadlineMs ??= now() + gracePeriodMs;
    },
  };
}
