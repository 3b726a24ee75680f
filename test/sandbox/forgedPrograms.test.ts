/** Programs that try to pass without doing the work, in every language that is compiled or started: none is functional. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchmarkDriver } from '../../src/services/benchmarks/driver.ts';
import { createGradingLane } from '../../src/services/benchmarks/gradeReplies.ts';
import { createSuiteDriver } from '../../src/services/benchmarks/suite/driver.ts';
import { createSandbox } from '../../src/services/sandbox/index.ts';
import { FORGED_PROGRAMS } from './forgedPrograms.ts';
import { testToolchain } from './support.ts';

const LIMITS = { wallMs: 30_000, memoryBytes: 1024 ** 3 };
const signal = new AbortController().signal;
let driver: BenchmarkDriver;
let lane: ReturnType<typeof createGradingLane>;

beforeAll(async () => {
  const toolchain = await testToolchain();
  const sandbox = await createSandbox({ toolchain });
  const suiteDir = join(import.meta.dirname, '../../suite');
  driver = await createSuiteDriver({ suiteDir, toolchain, sandbox, environment: process.env });
  lane = createGradingLane(driver.concurrency);
}, 300_000);

const cases = FORGED_PROGRAMS.flatMap(({ taskId, tricks }) =>
  Object.entries(tricks).map(([name, code]) => ({ taskId, name, code })),
);

describe.concurrent('a program that', () => {
  it.for(cases)('$name ($taskId)', { timeout: 900_000 }, async ({ taskId, code }, { skip }) => {
    const problem = driver.ungradable.get(taskId);
    if (problem !== undefined) skip(problem);
    const reply = `\`\`\`${taskId.split('/')[1]}\n${code}\n\`\`\``;
    const grade = await lane.run(async () => await driver.grade({ taskId, reply, limits: LIMITS, signal }), {
      concurrency: driver.concurrency,
      quiet: false,
      signal,
    });
    expect(grade, `${grade.reason}\n${grade.log}`).toMatchObject({
      extractable: true,
      functional: false,
      unknown: false,
      timedOut: false,
    });
    // It was the trick that failed, not the compiler.
    expect(grade.reason, grade.log).not.toMatch(/^compileFailed/);
  });
});
