/** How a run stands, in the words of the command line. Loads nothing, since --help needs it. */
export const runStates = [
  'running',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed-out',
  'continued',
] as const;
export type RunState = (typeof runStates)[number];

/** Temporal's name of each, as its queries want it. */
export const statusOf: Readonly<Record<RunState, string>> = {
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Canceled',
  terminated: 'Terminated',
  'timed-out': 'TimedOut',
  continued: 'ContinuedAsNew',
};
