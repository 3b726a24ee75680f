/** What the end of a trainer means: finished, out of memory, crashed, taken away. */
import { isErrorCode, SecpiError } from '../../contract/errors.ts';
import type { TrainerExit } from './trainerProcess.ts';
import { EXIT_SAVED, type ErrorEvent, type FinishedEvent, type StartedEvent } from './trainerProtocol.ts';

export interface EndingFacts {
  readonly started: StartedEvent | null;
  readonly finished: FinishedEvent | null;
  readonly error: ErrorEvent | null;
  /** Of its last line; null when it could not write one. */
  readonly toldExitCode: number | null;
  /** Null where this process is not its parent. */
  readonly exit: TrainerExit | null;
  /** By how many the kernel's count of kills for lack of memory rose in the seconds before its end was seen. */
  readonly oomKills: number;
  readonly logTail: string;
}

export interface Finished {
  readonly started: StartedEvent;
  readonly finished: FinishedEvent;
}

/** Throws the error of the catalogue that says why nothing was finished. */
export function concludeEnding(facts: EndingFacts): Finished {
  const { started, finished, error, toldExitCode, exit, oomKills } = facts;
  if (error !== null) throw trainerError(error);
  const code = toldExitCode ?? exit?.code ?? null;
  if (started !== null && finished !== null && (code === 0 || code === null)) return { started, finished };
  if (code === EXIT_SAVED)
    throw new SecpiError('PREEMPTED', 'somebody told the trainer to leave: it saved its state and left.');
  const mayBeKilled = code === null && (exit === null || exit.signal === 'SIGKILL');
  if (mayBeKilled && oomKills > 0) {
    throw new SecpiError(
      'TRAINER_OUT_OF_MEMORY',
      `the kernel killed the trainer because the memory of the machine or of its group ran out (its count of such kills rose by ${oomKills}).`,
    );
  }
  throw new SecpiError(
    'TRAINER_CRASHED',
    `the trainer ended ${howItEnded(code, exit)}. ${lastWords(facts.logTail)}`,
  );
}

function howItEnded(code: number | null, exit: TrainerExit | null): string {
  if (code !== null) return `with exit code ${code}`;
  return exit === null ? 'without a last word, as after a kill' : `by ${exit.signal ?? 'an unknown signal'}`;
}

const lastWords = (logTail: string): string =>
  logTail === '' ? 'Its log is empty.' : `Its log ends: ${logTail}`;

function trainerError({ code, field, message, remedy }: ErrorEvent): SecpiError {
  return new SecpiError(isErrorCode(code) ? code : 'TRAINER_CRASHED', message, {
    ...(field ? { field: `finetune.${field}` } : {}),
    ...(remedy ? { remedy } : {}),
  });
}
