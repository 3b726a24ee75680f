/** A driver for the checkout at CWEVAL_HOME, as a worker would open it. */
import { createCwevalDriver } from '../../src/services/benchmarks/cweval/index.ts';
import type { BenchmarkDriver, DriverGrade } from '../../src/services/benchmarks/driver.ts';
import { createSandbox, stageToolchain } from '../../src/services/sandbox/index.ts';
import { locateTools } from '../../src/cli/tools.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { MadeSample } from './samples.ts';

export async function openDriver(testSeconds: number): Promise<{ driver: BenchmarkDriver; home: string }> {
  const settings = readSettings(process.env);
  const home = settings.env['CWEVAL_HOME'];
  if (home === undefined || home === '') throw new Error('Set CWEVAL_HOME to a checkout of CWEval.');
  const { cache, python } = locateTools(settings.root, settings.env);
  const toolchain = await stageToolchain({ cacheDir: cache, pip: [python, '-m', 'pip'] });
  const sandbox = await createSandbox({ toolchain });
  const driver = await createCwevalDriver({
    home: undefined,
    environment: settings.env,
    sandbox,
    toolchain,
    settings: { testSeconds },
  });
  return { driver, home };
}

export interface Graded {
  readonly sample: MadeSample;
  readonly grade: DriverGrade;
  readonly wallMs: number;
}

/** In order, `concurrency` at a time. */
export async function gradeAll(
  driver: BenchmarkDriver,
  samples: readonly MadeSample[],
  concurrency: number,
): Promise<Graded[]> {
  const graded: Graded[] = [];
  const limits = { wallMs: 20_000, memoryBytes: 1024 ** 3 };
  const { signal } = new AbortController();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < samples.length; at = next++) {
      const sample = samples[at];
      if (sample === undefined) return;
      const startedAt = performance.now();
      const grade = await driver.grade({ taskId: sample.taskId, reply: sample.reply, limits, signal });
      graded[at] = { sample, grade, wallMs: Math.round(performance.now() - startedAt) };
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return graded;
}
