import { expect, it } from 'vitest';
import type { StageProgress } from '../contract/workflows.ts';
import { variantLine } from './variantLine.ts';

const stage = (name: string, patch: Partial<StageProgress> = {}): StageProgress => ({
  name,
  state: 'waiting',
  unit: 'rows',
  done: 0,
  total: null,
  costUsd: 0,
  note: '',
  artifact: null,
  seconds: null,
  ...patch,
});

it('counts stages that are over, sums money, and says what runs', () => {
  const line = variantLine('seed-2', [
    stage('filter', { state: 'reused', done: 90, total: 90 }),
    stage('distil', { state: 'running', done: 40, total: 93, unit: 'traces', costUsd: 0.25 }),
    stage('evaluate base', { state: 'running', costUsd: 0.5, note: 'checking' }),
    stage('report'),
  ]);
  expect(line).toMatchObject({
    name: 'seed-2',
    state: 'running',
    unit: 'stages',
    done: 1,
    total: 4,
    costUsd: 0.75,
    note: 'distil 40 of 93 traces; evaluate base',
  });
});

it('is paused while one of its stages is, and says what for', () => {
  const held = stage('distil', { state: 'paused', note: 'paused at the cap' });
  expect(variantLine('a', [held, stage('evaluate base', { state: 'running' })])).toMatchObject({
    state: 'paused',
    note: 'distil: paused at the cap; evaluate base',
  });
});

it('runs on between two stages and after the last', () => {
  expect(
    variantLine('a', [stage('filter', { state: 'done' }), stage('report', { state: 'failed' })]).state,
  ).toBe('running');
});
