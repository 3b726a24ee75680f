import { ServiceError } from '@temporalio/client';
import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { SecpiError } from '../contract/errors.ts';
import { complain, exitCodes, InterruptedError, RunFailedError } from './exit.ts';
import { StackError } from './stack/stackError.ts';

const failing = await mkdir('/proc/nowhere').catch((error: unknown) => error);

describe('what a person reads of an error', () => {
  test.each([
    ['stopping', new InterruptedError(), exitCodes.interrupted, 'Interrupted.'],
    ['a failed run', new RunFailedError('X', 'The dataset is empty.'), exitCodes.runFailed, 'is empty'],
    ['a stack', new StackError('It is down.', 'Start it.'), exitCodes.stackTrouble, 'Remedy:  Start it.'],
    ['a user’s mistake', new SecpiError('RECIPE_INVALID', 'no'), exitCodes.badInput, 'RECIPE_INVALID'],
    ['an operator’s task', new SecpiError('STORE_UNFIT', 'no'), exitCodes.stackTrouble, 'STORE_UNFIT'],
    ['a file', failing, exitCodes.badInput, "'/proc/nowhere'"],
    ['a cluster', new ServiceError('Failed', { cause: new Error('denied') }), 3, 'Failed: denied'],
  ])('of %s has a code and no stack', (_, error, exitCode, text) => {
    const told = complain(error);
    expect(told.exitCode).toBe(exitCode);
    expect(told.text).toContain(text);
    expect(told.text).not.toMatch(/^\s+at /mu);
  });

  test('a defect keeps its stack', () => {
    expect(complain(new TypeError('x is undefined')).text).toMatch(/defect[\s\S]*\n\s+at /u);
  });
});
