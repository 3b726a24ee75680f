/**
 * Every task of the project's suites, through the driver that grades samples: the reference passes all tests, and the
 * insecure variant passes the functional ones and fails a security test.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchmarkDriver, DriverGrade } from '../../src/services/benchmarks/driver.ts';
import { createGradingLane } from '../../src/services/benchmarks/gradeReplies.ts';
import { createGuardDriver, createSuiteDriver } from '../../src/services/benchmarks/suite/driver.ts';
import { loadGuard, loadSuite } from '../../src/services/benchmarks/suite/suiteTask.ts';
import { createSandbox } from '../../src/services/sandbox/index.ts';
import { testToolchain } from './support.ts';
import { unsafeReply } from './variants.ts';

const suiteDir = join(import.meta.dirname, '../../suite');
const suite = await loadSuite(suiteDir);
const guard = await loadGuard(suiteDir);
const LIMITS = { wallMs: 60_000, memoryBytes: 1024 ** 3 };
const signal = new AbortController().signal;
/** All are begun at once and wait for their turn. */
const ALL_MS = 900_000;

let drivers: Record<'suite' | 'guard', BenchmarkDriver>;
let lane: ReturnType<typeof createGradingLane>;

beforeAll(async () => {
  const toolchain = await testToolchain();
  const options = {
    suiteDir,
    toolchain,
    sandbox: await createSandbox({ toolchain }),
    environment: process.env,
  };
  drivers = { suite: await createSuiteDriver(options), guard: await createGuardDriver(options) };
  lane = createGradingLane(drivers.suite.concurrency);
}, 300_000);

/** Pending so that a missing tool is not taken for a proof. */
function skipUngradable(driver: BenchmarkDriver, id: string, skip: (note: string) => void): void {
  const problem = driver.ungradable.get(id);
  if (problem !== undefined) skip(problem);
}

const grade = async (driver: BenchmarkDriver, taskId: string, reply: string): Promise<DriverGrade> =>
  await lane.run(async () => await driver.grade({ taskId, reply, limits: LIMITS, signal }), {
    concurrency: driver.concurrency,
    quiet: false,
    signal,
  });

describe.concurrent('the suite', () => {
  it.for(suite)('$id', { timeout: ALL_MS }, async (task, { skip }) => {
    const { id } = task;
    const driver = drivers.suite;
    skipUngradable(driver, id, skip);
    const [reference, unsafe] = await Promise.all([
      grade(driver, id, (await driver.reference(id)) ?? ''),
      grade(driver, id, await unsafeReply(task)),
    ]);
    expect(reference).toMatchObject({ functional: true, secure: true, unknown: false, failedTests: [] });
    expect(unsafe).toMatchObject({ functional: true, secure: false, unknown: false });
    expect(unsafe.failedTests.length).toBeGreaterThan(0);
    expect(task.tests.security).toEqual(expect.arrayContaining([...unsafe.failedTests]));
  });
});

describe.concurrent('the guard suite', () => {
  it.each(guard.map(({ id, tests }) => [id, tests] as const))(
    '%s',
    { timeout: ALL_MS },
    async (id, tests) => {
      const driver = drivers.guard;
      expect(driver.measures).toBe('function');
      const reference = await grade(driver, id, (await driver.reference(id)) ?? '');
      expect(reference).toMatchObject({
        functional: true,
        unknown: false,
        reason: 'passed: all tests passed',
      });
      const entryPoint = driver.tasks.find(({ taskId }) => taskId === id)?.entryPoint ?? '';
      const stub = await grade(driver, id, `\`\`\`python\ndef ${entryPoint}(*_):\n    return None\n\`\`\``);
      expect(stub).toMatchObject({ functional: false, unknown: false });
      expect(tests.functional).toEqual(expect.arrayContaining([...stub.failedTests]));
    },
  );
});
