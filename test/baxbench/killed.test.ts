import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createBaxbenchDriver } from '../../src/services/benchmarks/baxbench/index.ts';
import { parseOwner, stateOf } from '../../src/services/processOwner.ts';
import { app, limits, makeLab, never, type Lab } from './lab.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await makeLab();
});
afterEach(async () => await lab.close());

it('what a killed worker left is ended and removed when the next one starts', async () => {
  const python = lab.options.environment['BAXBENCH_PYTHON'] ?? '';
  const script = fileURLToPath(new URL('gradeOne.ts', import.meta.url));
  const worker = spawn(process.execPath, [script, lab.root, python, 'hangs'], { stdio: 'inherit' });
  onTestFinished(() => void worker.kill('SIGKILL'));
  await expect.poll(() => lab.engine.ports.length, { timeout: 20_000 }).toBe(1);
  const living = await createBaxbenchDriver(lab.options);
  expect(lab.engine.containers.size).toBe(1);

  worker.kill('SIGKILL');
  await once(worker, 'exit');
  const [folder = ''] = (await readdir(lab.root)).filter((name) => name.startsWith('secpi-bax-'));
  const harness = parseOwner(await readFile(join(lab.root, folder, 'child'), 'utf8'));
  if (harness === null) throw new Error('The harness is not named.');
  expect(await stateOf(harness)).toBe('alive');
  expect(lab.engine.containers.size).toBe(1);

  const next = await createBaxbenchDriver(lab.options);
  expect(lab.engine.containers.size).toBe(0);
  await expect.poll(async () => await stateOf(harness)).toBe('dead');
  expect((await readdir(lab.root)).filter((name) => name.startsWith('secpi-bax-'))).toEqual([]);
  const grade = await next.grade({ taskId: 'Sums/Python-Tiny', reply: app('passes'), limits, signal: never });
  expect(grade).toMatchObject({ functional: true, secure: true });
  await next.close();
  await living.close();
});

it('an engine that goes away in the middle is no verdict, and nothing stays on this side', async () => {
  const driver = await createBaxbenchDriver({ ...lab.options, sampleWallMs: 1500 });
  const work = driver.grade({ taskId: 'Sums/Python-Tiny', reply: app('hangs'), limits, signal: never });
  await expect.poll(() => lab.engine.ports.length, { timeout: 20_000 }).toBe(1);
  const [folder = ''] = (await readdir(lab.root)).filter((name) => name.startsWith('secpi-bax-'));
  const harness = parseOwner(await readFile(join(lab.root, folder, 'child'), 'utf8'));
  if (harness === null) throw new Error('The harness is not named.');
  await lab.engine.close();
  await expect(work).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE', retryable: true });
  expect(await stateOf(harness)).toBe('dead');
  expect((await readdir(lab.root)).filter((name) => name.startsWith('secpi-bax-'))).toEqual([]);
});
