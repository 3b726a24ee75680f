import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import type { BenchmarkDriver, DriverGrade, DriverRequest } from './driver.ts';
import { createGradingLane, gradeReplies, type GradingOptions } from './gradeReplies.ts';
import { createMemoryCache } from './verdictCache.ts';

const limits = { wallMs: 1000, memoryBytes: 1 };
const passed: DriverGrade = {
  extractable: true,
  functional: true,
  secure: true,
  unknown: false,
  timedOut: false,
  reason: 'passed',
  failedTests: [],
  foundCwes: [],
  upstream: null,
  code: 'x',
  log: '',
};
const timeout = { ...passed, functional: false, secure: false, timedOut: true, reason: 'timeout' };
const unknown = { ...passed, functional: false, secure: false, unknown: true, reason: 'harness' };

const task: BenchmarkTaskRow = {
  index: 0,
  benchmark: 'suite',
  taskId: 'core/py/cwe_022_0',
  cwe: 'CWE-22',
  cwes: ['CWE-22'],
  scenario: 'file-by-name',
  language: 'python',
  entryPoint: 'f',
  prompts: { none: 'a', generic: 'b', specific: 'c' },
  testsSha256: '0'.repeat(64),
};

interface Seen extends DriverRequest {
  readonly beside: number;
}

function driverThat(
  grade: (request: DriverRequest, attempt: number) => DriverGrade | Promise<DriverGrade>,
  versions: Record<string, string> = {},
): BenchmarkDriver & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  let running = 0;
  return {
    seen,
    name: 'suite',
    measures: 'functionAndSecurity',
    tasks: [task],
    versions,
    hasUpstreamFigure: false,
    ungradable: new Map(),
    concurrency: 4,
    reference: async () => null,
    close: async () => undefined,
    grade: async (request) => {
      seen.push({ ...request, beside: running });
      running += 1;
      try {
        return await grade(request, seen.filter(({ reply }) => reply === request.reply).length);
      } finally {
        running -= 1;
      }
    },
  };
}

function options(more: Partial<GradingOptions> = {}): GradingOptions {
  return {
    limits,
    lane: createGradingLane(4),
    cache: createMemoryCache(),
    salt: '',
    timeoutSalt: 'this run',
    signal: new AbortController().signal,
    ...more,
  };
}

const replies = (...texts: string[]) => texts.map((reply) => ({ task, reply }));

describe('gradeReplies', () => {
  it('grades equal replies once, and keeps the order', async () => {
    const driver = driverThat(({ reply }) => ({ ...passed, reason: reply }));
    const graded = await gradeReplies(driver, replies('b', 'a', 'b'), options());
    expect(graded.map(({ grade }) => grade.reason)).toEqual(['b', 'a', 'b']);
    expect(driver.seen).toHaveLength(2);
  });

  it('takes what an earlier call graded, unless limits, tools or salt differ', async () => {
    const cache = createMemoryCache();
    const count = async (more: Partial<GradingOptions>, versions: Record<string, string> = {}) => {
      const driver = driverThat(() => passed, versions);
      await gradeReplies(driver, replies('a'), options({ cache, ...more }));
      return driver.seen.length;
    };
    expect(await count({})).toBe(1);
    expect(await count({})).toBe(0);
    expect(await count({ limits: { ...limits, wallMs: 2000 } })).toBe(1);
    expect(await count({ salt: 'run' })).toBe(1);
    expect(await count({}, { gcc: '13' })).toBe(1);
  });

  it('tries a timeout once more, with twice the time and beside half the load at most', async () => {
    const driver = driverThat(async ({ reply }, attempt) => {
      await sleep(20);
      return reply === 'slow' && attempt === 1 ? timeout : passed;
    });
    const graded = await gradeReplies(
      driver,
      replies('slow', ...Array.from({ length: 12 }, (_, index) => `quick ${index}`)),
      options(),
    );
    expect(graded[0]).toMatchObject({ attempts: 2, grade: { functional: true } });
    const again = driver.seen.filter(({ reply }) => reply === 'slow')[1];
    expect(again?.limits.wallMs).toBe(2000);
    expect(again?.beside).toBeLessThanOrEqual(2);
    expect(Math.max(...driver.seen.map(({ beside }) => beside))).toBe(3);
  });

  it('believes a second timeout, and a third failure of the harness, which it does not keep', async () => {
    const cache = createMemoryCache();
    const driver = driverThat(({ reply }) => (reply === 'loops' ? timeout : unknown));
    const graded = await gradeReplies(driver, replies('loops', 'broken'), options({ cache }));
    expect(graded.map(({ attempts }) => attempts)).toEqual([2, 3]);
    const healed = driverThat(() => passed);
    const later = await gradeReplies(healed, replies('loops', 'broken'), options({ cache }));
    expect(later.map(({ grade }) => grade.reason)).toEqual(['timeout', 'passed']);
    // Another run may be on a quicker machine.
    const other = await gradeReplies(healed, replies('loops'), options({ cache, timeoutSalt: 'another' }));
    expect(other[0]?.grade.reason).toBe('passed');
  });

  it('throws the first failure and stops the others', async () => {
    const driver = driverThat(async ({ reply, signal }) => {
      if (reply === 'bad') throw new Error('no sandbox');
      await sleep(10_000, undefined, { signal });
      return passed;
    });
    await expect(gradeReplies(driver, replies('long', 'bad'), options())).rejects.toThrow('no sandbox');
  });

  it('leaves the line when it is aborted, and gives its turn back', async () => {
    const stop = new AbortController();
    const driver = driverThat(async ({ reply }) => {
      if (reply === 'first') await sleep(100);
      return passed;
    });
    const lane = createGradingLane(1);
    const first = gradeReplies(driver, replies('first'), options({ lane }));
    const second = gradeReplies(driver, replies('second'), options({ lane, signal: stop.signal }));
    await sleep(20);
    stop.abort(new Error('leave'));
    const startedMs = Date.now();
    await expect(second).rejects.toThrow('leave');
    expect(Date.now() - startedMs).toBeLessThan(60);
    await first;
    await gradeReplies(driver, replies('third'), options({ lane }));
    expect(driver.seen.map(({ reply }) => reply)).toEqual(['first', 'third']);
  });

  it('keeps no failure where failures are to be tried anew', async () => {
    const cache = createMemoryCache();
    const failing = driverThat(() => ({ ...passed, secure: false }));
    await gradeReplies(failing, replies('a'), options({ cache, keepsFailures: false }));
    await gradeReplies(failing, replies('a'), options({ cache, keepsFailures: false }));
    expect(failing.seen).toHaveLength(2);
  });

  it('grades nothing further once aborted', async () => {
    const stop = new AbortController();
    const driver = driverThat(async () => {
      stop.abort(new Error('leave'));
      return passed;
    });
    const lane = createGradingLane(1);
    await expect(
      gradeReplies(driver, replies('a', 'b', 'c'), options({ lane, signal: stop.signal })),
    ).rejects.toThrow('leave');
    expect(driver.seen).toHaveLength(1);
  });
});
