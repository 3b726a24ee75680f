/** The leak check on the recorded traces: it hits what was written to leak, and nothing else. */
import { expect, it } from 'vitest';
import { findLeak } from '../../src/services/distill/leaks.ts';
import { flawedTraces, soundTraces } from './recorded.ts';

it('hits no sound trace', async () => {
  const traces = await soundTraces();
  expect(traces.length).toBeGreaterThanOrEqual(59);
  expect(traces.flatMap(({ id, text }) => (findLeak(text) === null ? [] : [id]))).toEqual([]);
});

it('hits the one flawed trace that betrays its instructions', async () => {
  const hits = [...(await flawedTraces())].flatMap(([id, text]) => (findLeak(text) === null ? [] : [id]));
  expect(hits).toEqual(['rec-003']);
});
