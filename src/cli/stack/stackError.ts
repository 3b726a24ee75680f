/** Trouble with the local stack or the cluster: what is wrong and what to do. Exit code 3. */
export class StackError extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string, options?: { readonly cause?: unknown }) {
    super(problem, options);
    this.name = 'StackError';
    this.remedy = remedy;
  }
}
