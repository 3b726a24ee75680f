/** The supervision with the trainer itself, on a tiny model: what it says is understood, and no step is lost. */
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeTinyModel, until } from '../chain/stack.ts';
import { sha256OfFile } from '../../src/services/store/index.ts';
import type { TrainingEnd } from '../../src/services/train/training.ts';
import {
  fingerprintOf,
  openLab,
  startAttempt,
  startAttemptProcess,
  type AttemptPlan,
  type Lab,
} from './lab.ts';

const STEPS = 16;
let lab: Lab;
let modelDir = '';
beforeAll(async () => {
  lab = await openLab();
  await mkdir(lab.dir, { recursive: true });
  modelDir = await makeTinyModel(lab.dir);
}, 120_000);
afterAll(async () => await lab?.stop());

async function planOf(name: string, settings: Record<string, unknown> = {}): Promise<AttemptPlan> {
  const fingerprint = fingerprintOf(name);
  const epoch = await lab.claim(fingerprint);
  return lab.plan({
    fingerprint,
    epoch,
    modelDir,
    settings: {
      lora: { rank: 4, alpha: 8 },
      epochs: 100,
      maxSteps: STEPS,
      learningRate: 0.001,
      maxSequenceTokens: 2048,
      precision: 'fp32',
      evalShare: 0.25,
      evalEverySteps: 4,
      checkpointEverySteps: 4,
      batchRows: 2,
      microBatchRows: 2,
      ...settings,
    },
  });
}

const stepsOf = async (name: string): Promise<number[]> =>
  (await lab.store.trainings.list(fingerprintOf(name))).map(({ step }) => step);

async function contentOf(end: TrainingEnd): Promise<unknown> {
  if (end.status !== 'trained') throw new Error(`the training is ${end.status}`);
  const { finished } = end.outcome;
  const { sha256 } = await sha256OfFile(`${finished.mergedDir}/model.safetensors`);
  await end.outcome.release();
  return { sha256, lossCurve: finished.lossCurve, evalCurve: finished.evalCurve };
}

it('adopted after SIGKILL of its worker, paused, resumed: the same losses and weights as unbroken', async () => {
  const whole = await startAttempt(await planOf('whole'));
  const expected = await contentOf(await whole.end);
  expect(whole.resumes[1]?.importSeconds).toBeGreaterThan(0);
  expect(whole.resumes[1]?.loadSeconds).toBeGreaterThan(0);

  const first = startAttemptProcess(await planOf('broken'));
  await until('a checkpoint', async () => (await stepsOf('broken')).length > 0, 120_000);
  await first.kill();
  const second = await startAttempt(await planOf('broken'));
  await until('the adoption', async () => second.resumes.length > 0, 20_000);
  second.want('pause');
  const paused = await second.end;
  expect(paused.status).toBe('paused');
  expect(second.resumes[0]?.adopted).toBe(true);

  const third = await startAttempt(await planOf('broken'));
  expect(await contentOf(await third.end)).toEqual(expected);
  expect(paused).toEqual({ status: 'paused', step: third.resumes[0]?.resumedFromStep });
}, 300_000);

it('stops early with the best checkpoint’s weights, exported without another step', async () => {
  const running = await startAttempt(await planOf('stopped', { maxSteps: 4000 }));
  await until('two are safe', async () => (await stepsOf('stopped')).length >= 2, 120_000);
  running.want('stop');
  const end = await running.end;
  const listed = await lab.store.trainings.list(fingerprintOf('stopped'));
  const measured = listed.filter(({ evalLoss }) => evalLoss !== null);
  const best = measured.toSorted((a, b) => (a.evalLoss ?? 0) - (b.evalLoss ?? 0))[0];
  expect(best).toBeDefined();
  expect(end).toMatchObject({
    status: 'trained',
    outcome: {
      stoppedEarlyAtStep: best?.step,
      finished: { exportedStep: best?.step, evalLossAfter: best?.evalLoss },
    },
  });
  if (end.status === 'trained') await end.outcome.release();
}, 300_000);
