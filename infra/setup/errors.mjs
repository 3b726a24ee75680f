/** Errors of the set-up: what is wrong, and what to do about it. */

export class SetupError extends Error {
  /**
   * @param {string} problem
   * @param {string} remedy
   * @param {{cause?: unknown}} [options]
   */
  constructor(problem, remedy, options) {
    super(problem, options);
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}

/**
 * The text a person reads; a defect keeps its stack.
 * @param {unknown} error
 */
export function describeError(error) {
  if (error instanceof SetupError) return `SETUP_FAILED: ${error.message}\n  Remedy: ${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
