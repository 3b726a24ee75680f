import { describe, expect, test } from 'vitest';
import { backoffMs, retryAfterMs } from './backoff.ts';

const now = Date.parse('2026-11-21T10:00:00Z');

describe('retryAfterMs', () => {
  test.each([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['fractions of a second', { 'retry-after': '0.5' }, 500],
    ['an HTTP date', { 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT' }, 30_000],
    ['a date in the past', { 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }, 0],
    ['milliseconds win', { 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    ['zero', { 'retry-after': '0' }, 0],
    ['nothing', {}, null],
    ['nonsense', { 'retry-after': 'soon' }, null],
    ['a negative number', { 'retry-after': '-5 or so' }, null],
  ])('%s', (_, headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), now)).toBe(expected);
  });
});

describe('backoffMs', () => {
  const limits = { firstMs: 250, maxMs: 30_000 };
  test.each([
    [1, 0, 125],
    [1, 1, 250],
    [4, 1, 2000],
    [20, 1, 30_000],
    [2000, 0, 15_000],
  ])('after %i failures with random %d', (failures, random, expected) => {
    expect(backoffMs(failures, limits, random)).toBe(expected);
  });
});
