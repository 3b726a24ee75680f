/** Exit codes, and what a person reads when something is wrong: code, field, problem, remedy; a stack only for a defect. */
import { ERROR_CATALOGUE, isErrorCode, runbookOf, SecpiError } from '../contract/errors.ts';
import { redact } from '../contract/secrets.ts';
import { StackError } from './stack/stackError.ts';

export const exitCodes = { ok: 0, runFailed: 1, badInput: 2, stackTrouble: 3, interrupted: 130 } as const;

/** The run itself failed; the message is the cause that Temporal keeps. */
export class RunFailedError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'RunFailedError';
    this.code = code;
  }
}

/** The user asked to stop. */
export class InterruptedError extends Error {
  constructor() {
    super('Interrupted.');
    this.name = 'InterruptedError';
  }
}

export interface Complaint {
  readonly exitCode: number;
  readonly text: string;
}

export function complain(error: unknown): Complaint {
  if (error instanceof InterruptedError) return { exitCode: exitCodes.interrupted, text: error.message };
  if (error instanceof StackError)
    return { exitCode: exitCodes.stackTrouble, text: block('STACK_TROUBLE', error.message, error.remedy) };
  if (error instanceof RunFailedError) return { exitCode: exitCodes.runFailed, text: redact(error.message) };
  if (error instanceof SecpiError) {
    const exitCode =
      ERROR_CATALOGUE[error.code].mender === 'user' ? exitCodes.badInput : exitCodes.stackTrouble;
    return { exitCode, text: block(error.code, error.problem, error.remedy, error.field) };
  }
  const plain = plainTrouble(error);
  if (plain !== null) return plain;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: exitCodes.stackTrouble,
    text: redact(`This is a defect of SecPI Pipeline; please report it.\n${text}`),
  };
}

/** What the machine or the cluster refused: the message says it all, and no line of code is to blame. */
function plainTrouble(error: unknown): Complaint | null {
  if (!(error instanceof Error)) return null;
  // A file that cannot be read or written; a refused connection has no path.
  if ('syscall' in error && 'path' in error)
    return {
      exitCode: exitCodes.badInput,
      text: block('FILE_TROUBLE', `${error.message}.`, 'Name another place, or make this one usable.'),
    };
  // By its name: the class lies in a client that most commands never load.
  if (error.name !== 'ServiceError') return null;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return {
    exitCode: exitCodes.stackTrouble,
    text: block('STACK_TROUBLE', `${error.message}${cause}.`, 'Look at the cluster: npx secpi doctor'),
  };
}

export function block(code: string, problem: string, remedy: string, field?: string): string {
  const head = field === undefined ? code : `${code}  ${field}`;
  const more = isErrorCode(code) ? `\n  More:    ${runbookOf(code)}` : '';
  return redact(`${head}\n  Problem: ${indent(problem)}\n  Remedy:  ${indent(remedy)}${more}`);
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n           ');
}
