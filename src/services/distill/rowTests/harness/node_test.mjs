/**
 * `node:test` as the tests see it while they are not run for good. `?collect`: every test is registered and none runs.
 * `?control`: every test fails at its end.
 */
import * as real from 'node:test';

const mode = new URL(import.meta.url).search.slice(1);
const BODIES = { collect: () => () => {}, control: failing };

function failing(body) {
  return async (...given) => {
    try {
      await body(...given);
    } finally {
      // Also when the body returns early.
      // oxlint-disable-next-line no-unsafe-finally
      throw new Error('the end');
    }
  };
}

const wrap =
  (register) =>
  (...given) =>
    register(...given.map((part) => (typeof part === 'function' ? BODIES[mode](part) : part)));
const wrapTest = (register) =>
  Object.assign(wrap(register), { skip: register.skip, todo: register.todo, only: wrap(register.only) });
const nothing = () => {};
const hook = (register) => (mode === 'collect' ? nothing : register);

export const test = wrapTest(real.test);
export const it = wrapTest(real.it);
export const before = hook(real.before);
export const after = hook(real.after);
export const beforeEach = hook(real.beforeEach);
export const afterEach = hook(real.afterEach);
export const { describe, suite, mock } = real;
Object.assign(test, { test, it, describe, suite, before, after, beforeEach, afterEach, mock });
export default test;
