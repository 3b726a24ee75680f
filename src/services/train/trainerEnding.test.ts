import { expect, test } from 'vitest';
import { SecpiError, type ErrorCode } from '../../contract/errors.ts';
import { concludeEnding, type EndingFacts } from './trainerEnding.ts';

const facts: EndingFacts = {
  started: null,
  finished: null,
  error: null,
  toldExitCode: null,
  exit: null,
  oomKills: 0,
  logTail: 'line one',
};

const killed = { code: null, signal: 'SIGKILL' } as const;

test.each<[string, Partial<EndingFacts>, ErrorCode, RegExp]>([
  ['killed by the kernel for memory', { exit: killed, oomKills: 1 }, 'TRAINER_OUT_OF_MEMORY', /kernel/],
  ['the same, seen by an adopter', { oomKills: 2 }, 'TRAINER_OUT_OF_MEMORY', /rose by 2/],
  ['killed otherwise', { exit: killed }, 'TRAINER_CRASHED', /by SIGKILL.*line one/],
  ['killed, seen by an adopter', {}, 'TRAINER_CRASHED', /without a last word/],
  [
    'another signal while others ran out of memory',
    { exit: { code: null, signal: 'SIGSEGV' }, oomKills: 1 },
    'TRAINER_CRASHED',
    /SIGSEGV/,
  ],
  ['an exit code of its own', { toldExitCode: 3, oomKills: 1 }, 'TRAINER_CRASHED', /exit code 3/],
  ['saved for somebody else', { toldExitCode: 75 }, 'PREEMPTED', /saved/],
  [
    'an error that it told',
    { error: { event: 'error', code: 'TRAINING_DIVERGED', message: 'the loss is not finite' }, oomKills: 1 },
    'TRAINING_DIVERGED',
    /not finite/,
  ],
  [
    'an error of no code that is known',
    { error: { event: 'error', code: 'TRAINER_FAILED', message: 'shape mismatch' } },
    'TRAINER_CRASHED',
    /shape mismatch/,
  ],
])('%s', (_name, change, code, message) => {
  let thrown: unknown;
  try {
    concludeEnding({ ...facts, ...change });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SecpiError);
  expect(thrown).toMatchObject({ code });
  expect(String(thrown)).toMatch(message);
});
