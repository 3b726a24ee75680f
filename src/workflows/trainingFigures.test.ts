import { expect, it } from 'vitest';
import { describeTraining, noFigures } from './trainingFigures.ts';

it('tells all that is known of a running training', () => {
  const figures = {
    attempt: 3,
    step: 120,
    totalSteps: 600,
    loss: 0.71234,
    tokensPerSecond: 812.4,
    secondsLeft: 7800,
    peakShare: 0.312,
    lastCheckpoint: 100,
    resumedFrom: 80,
    gpuHours: 3.2,
    preemptions: 2,
    stepsRepeated: 14,
  };
  expect(describeTraining(figures, 'running')).toBe(
    '**step 120 of 600** · loss 0.7123 · 812 tokens/s (31 % of the bf16 peak) · about 2 h 10 min left · 3.20 GPU hours · 2 preemptions · 14 steps repeated · last checkpoint: step 100 · resumed from step 80',
  );
});

it('leaves out what is not known, and promises no end of a training that does not run', () => {
  expect(describeTraining(noFigures, 'running')).toBe(
    '**step 0** · 0.00 GPU hours · 0 preemptions · 0 steps repeated · no checkpoint yet',
  );
  const paused = { ...noFigures, step: 1, secondsLeft: 60, preemptions: 1, stepsRepeated: 1 };
  expect(describeTraining(paused, 'paused')).toBe(
    '**step 1** · 0.00 GPU hours · 1 preemption · 1 step repeated · no checkpoint yet',
  );
});

it.each([
  [45, '45 s'],
  [600, '10 min'],
  [5400, '1 h 30 min'],
])('says %i seconds as %s', (secondsLeft, text) => {
  expect(describeTraining({ ...noFigures, secondsLeft }, 'running')).toContain(`about ${text} left`);
});
