/** Benchmarks by name: what this machine can drive is opened, and what it cannot is refused where the recipe asks for it. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateSchema } from '../../src/contract/recipe.ts';
import { benchmarkTaskRowSchema } from '../../src/contract/rows.ts';
import { openBenchmark, type OpenBenchmarkOptions } from '../../src/services/benchmarks/open.ts';
import { createSandbox } from '../../src/services/sandbox/index.ts';
import { testToolchain } from './support.ts';

let options: OpenBenchmarkOptions;
const signal = new AbortController().signal;
const limits = { wallMs: 30_000, memoryBytes: 1024 ** 3 };

beforeAll(async () => {
  const toolchain = await testToolchain();
  options = {
    suiteDir: join(import.meta.dirname, '../../suite'),
    toolchain,
    sandbox: await createSandbox({ toolchain }),
    environment: { PATH: process.env['PATH'] },
    settings: evaluateSchema.parse({}),
    field: 'evaluate.benchmarks[1]',
  };
}, 300_000);

describe('the suites', () => {
  it.each(['suite', 'guard'] as const)(
    '%s lists its tasks as rows and its tools as versions',
    async (name) => {
      const driver = await openBenchmark(name, options);
      expect(driver).toMatchObject({ name, hasUpstreamFigure: false });
      for (const [index, row] of driver.tasks.entries())
        expect(benchmarkTaskRowSchema.parse(row)).toMatchObject({ index, benchmark: name });
      expect(Object.keys(driver.versions).sort()).toEqual(
        ['g++', 'gcc', 'go', 'grading', 'node', 'pytest', 'python', 'suite'].sort(),
      );
      expect(driver.concurrency).toBeGreaterThanOrEqual(1);
      await driver.close();
    },
  );

  it('a reply without code is not extractable, and each of its tests failed', async () => {
    const driver = await openBenchmark('suite', options);
    const taskId = 'core/py/cwe_022_0';
    const grade = await driver.grade({ taskId, reply: 'I cannot help with that.', limits, signal });
    expect(grade).toMatchObject({
      extractable: false,
      functional: false,
      secure: false,
      unknown: false,
      reason: 'noCodeBlock',
      code: null,
    });
    expect(grade.failedTests.length).toBeGreaterThanOrEqual(3);
  });

  it('code that does not compile is extractable, and says why', async () => {
    const driver = await openBenchmark('suite', options);
    const reply = '```js\nfunction readLyrics(folder, song) { return nowhere; }\n```';
    const broken = await driver.grade({ taskId: 'core/js/cwe_022_0_js', reply, limits, signal });
    expect(broken).toMatchObject({ extractable: true, functional: false, unknown: false });
    if (driver.ungradable.size > 0) return;
    const c =
      '```c\nint rle_expand(const char *packed, char *out, int out_size) {\n    return nowhere;\n}\n```';
    const grade = await driver.grade({ taskId: 'lang/c/cwe_787_0_c', reply: c, limits, signal });
    expect(grade).toMatchObject({ extractable: true, functional: false, unknown: false, timedOut: false });
    expect(grade.reason).toMatch(/^compileFailed: reply\.c:2:12: error: .nowhere. undeclared/);
    const go =
      '```go\npackage main\n\nimport "os"\n\nfunc targetAfterLogin(target string) string { return target }\n```';
    const unused = await driver.grade({ taskId: 'core/go/cwe_601_0_go', reply: go, limits, signal });
    expect(unused.reason).toMatch(/^compileFailed: .*"os" imported and not used/);
    // The first Go program of a machine compiles the standard library.
  }, 600_000);
});

describe('a benchmark that is not on this machine', () => {
  it.each([
    ['cweval', 'CWEVAL_HOME'],
    ['baxbench', 'BAXBENCH_HOME'],
  ] as const)('%s names the field and the variable', async (name, variable) => {
    await expect(openBenchmark(name, options)).rejects.toMatchObject({
      code: 'BENCHMARK_UNAVAILABLE',
      field: expect.stringMatching(/^evaluate\.|_HOME$/),
      message: expect.stringContaining(variable),
    });
  });
});
