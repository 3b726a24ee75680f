/** `node:test` as the control sees it: every test fails at its end. */
import * as real from 'node:test';

const wrapAll = (register) => {
  const wrapped = (...given) => register(...given.map((part) => (typeof part === 'function' ? failing(part) : part)));
  return Object.assign(wrapped, register);
};

function failing(body) {
  return async (...given) => {
    try {
      await body(...given);
    } finally {
      // eslint-disable-next-line no-unsafe-finally
      throw new Error('the end');
    }
  };
}

export const test = wrapAll(real.test);
export const it = wrapAll(real.it);
test.test = test;
test.it = it;
export const { describe, suite, before, after, beforeEach, afterEach, mock } = real;
Object.assign(test, { describe, suite, before, after, beforeEach, afterEach, mock });
export default test;
