import { expect, test } from 'vitest';
import { createStepFigures } from './stepFigures.ts';
import type { StepEvent } from './trainerProtocol.ts';

const step = (number: number, seconds: number): StepEvent => ({
  event: 'step',
  step: number,
  loss: 1.5,
  learningRate: 0.1,
  tokens: 1000,
  seconds,
  peakShare: 0.4,
});

test('rates are means of the last twenty steps, the rest is of the last one', () => {
  const figures = createStepFigures();
  expect(figures.stepSeconds()).toBeNull();
  expect(figures.latest(100)).toBeNull();
  for (let number = 1; number <= 30; number += 1) figures.add(step(number, 100), 100);
  let told = {};
  for (let number = 31; number <= 50; number += 1) told = figures.add(step(number, 2), 100);
  expect(told).toEqual({
    step: 50,
    totalSteps: 100,
    loss: 1.5,
    tokensPerSecond: 500,
    secondsLeft: 100,
    peakShare: 0.4,
  });
  expect(figures.latest(null)).toMatchObject({ step: 50, totalSteps: null, secondsLeft: null });
});
