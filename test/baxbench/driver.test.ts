import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchmarkTaskRowSchema } from '../../src/contract/rows.ts';
import { createBaxbenchDriver, type BaxbenchDriver } from '../../src/services/benchmarks/baxbench/index.ts';
import type { DriverGrade } from '../../src/services/benchmarks/driver.ts';
import { app, limits, makeLab, makePython, never, type Lab } from './lab.ts';

let lab: Lab;
let driver: BaxbenchDriver;

beforeAll(async () => {
  lab = await makeLab();
  driver = await createBaxbenchDriver({ ...lab.options, sampleWallMs: 20_000 });
});
afterAll(async () => {
  await driver.close();
  await lab.close();
});

async function grade(reply: string, taskId = 'Sums/Python-Tiny', by = driver): Promise<DriverGrade> {
  return await by.grade({ taskId, reply, limits, signal: never });
}

/** Nothing of a run is left but the one image that later builds share layers with. */
async function expectReaped(): Promise<void> {
  expect([...lab.engine.containers.values()]).toEqual([]);
  expect(lab.engine.images.size).toBeLessThanOrEqual(1);
  expect((await readdir(lab.root)).filter((name) => name.startsWith('secpi-bax-'))).toEqual([]);
}

describe('the tasks of a checkout', () => {
  it('are its scenarios times its frameworks, with its own prompts for each variant', () => {
    expect(driver.tasks.map(({ index, taskId, language }) => [index, taskId, language])).toEqual([
      [0, 'Other/Go-net-http', 'go'],
      [1, 'Other/JavaScript-many', 'typescript'],
      [2, 'Other/Python-Tiny', 'python'],
      [3, 'Sums/Go-net-http', 'go'],
      [4, 'Sums/JavaScript-many', 'typescript'],
      [5, 'Sums/Python-Tiny', 'python'],
    ]);
    const task = benchmarkTaskRowSchema.parse(driver.tasks[5]);
    expect(task).toMatchObject({
      scenario: 'Sums',
      entryPoint: null,
      cwe: 'CWE-94',
      cwes: ['CWE-94', 'CWE-400', 'CWE-703'],
    });
    expect(task.prompts.none).toBe('Write Sums with Tiny after its openapi specification.');
    expect(task.prompts.generic).toBe(`${task.prompts.none} Write secure code.`);
    expect(task.prompts.specific).toMatch(/ Mind CWE-\d+, CWE-\d+, CWE-\d+\.$/);
  });

  it('are told alike each time', async () => {
    const again = await createBaxbenchDriver(lab.options);
    expect(again.tasks).toEqual(driver.tasks);
    expect(again.versions).toEqual(driver.versions);
    expect(again.versions).toMatchObject({ python: '3.12.0', engine: 'Stand-in Engine 1.0' });
    await again.close();
  });

  it('are filtered by scenario, framework (by either of its names), language and specification', async () => {
    const idsOf = async (changes: object): Promise<string[]> => {
      const settings = { ...lab.options.settings, ...changes };
      const some = await createBaxbenchDriver({ ...lab.options, settings });
      await some.close();
      return some.tasks.map(
        ({ taskId, prompts }) => `${taskId} ${/(\w+) specification/.exec(prompts.none)?.[1]}`,
      );
    };
    const { baxbench } = lab.options.settings;
    const two = { ...baxbench, scenarios: ['Sums'], envs: ['Go-net/http', 'Python-Tiny'], spec: 'text' };
    expect(await idsOf({ baxbench: two })).toEqual(['Sums/Go-net-http text', 'Sums/Python-Tiny text']);
    expect(await idsOf({ languages: ['typescript'] })).toEqual([
      'Other/JavaScript-many openapi',
      'Sums/JavaScript-many openapi',
    ]);
  });
});

describe('what is missing is said before anything runs', () => {
  const cases: [string, (root: string) => Promise<object>, string, RegExp][] = [
    ['no checkout', async () => await Promise.resolve({ home: undefined }), 'BAXBENCH_HOME', /No checkout/],
    [
      'another folder',
      async (root) => await Promise.resolve({ home: root }),
      'BAXBENCH_HOME',
      /src\/main\.py is missing/,
    ],
    [
      'no Python',
      async () => await environment({ BAXBENCH_PYTHON: undefined }),
      'BAXBENCH_PYTHON',
      /No Python/,
    ],
    [
      'an old Python',
      async (root) => await environment({ BAXBENCH_PYTHON: await makePython(root, '3.11.2') }),
      'BAXBENCH_PYTHON',
      /is Python 3\.11\.2/,
    ],
    [
      'no engine',
      async (root) => await environment({ DOCKER_HOST: `unix://${root}/none.sock` }),
      'DOCKER_HOST',
      /none\.sock \(connect ENOENT/,
    ],
    [
      'an engine elsewhere',
      async () => await environment({ DOCKER_HOST: 'ssh://host' }),
      'DOCKER_HOST',
      /no address of an engine on this machine/,
    ],
    [
      'an unknown scenario',
      async () =>
        await Promise.resolve({
          settings: {
            ...lab.options.settings,
            baxbench: { ...lab.options.settings.baxbench, scenarios: ['Nope'] },
          },
        }),
      'evaluate.baxbench.scenarios',
      /nothing named "Nope"/,
    ],
  ];
  const environment = async (changes: object): Promise<object> =>
    await Promise.resolve({ environment: { ...lab.options.environment, ...changes } });

  it.each(cases)('%s', async (_, changes, field, problem) => {
    const creation = createBaxbenchDriver({ ...lab.options, ...(await changes(lab.root)) });
    await expect(creation).rejects.toMatchObject({
      code: 'BENCHMARK_UNAVAILABLE',
      field,
      problem: expect.stringMatching(problem),
    });
  });

  it('a missing package is named', async () => {
    const python = join(lab.root, 'python-bare');
    await writeFile(python, `#!/bin/sh\necho '{"python": "3.12.1", "missing": ["docker", "yaml"]}'\n`, {
      mode: 0o755,
    });
    const creation = createBaxbenchDriver({
      ...lab.options,
      environment: { ...lab.options.environment, BAXBENCH_PYTHON: python },
    });
    await expect(creation).rejects.toThrow(/lacks docker, yaml/);
  });
});

describe('a reply', () => {
  it('whose app passes is functional and secure, in its own way to the engine', async () => {
    const graded = await grade(app('passes'));
    expect(graded).toMatchObject({
      extractable: true,
      functional: true,
      secure: true,
      unknown: false,
      timedOut: false,
      reason: 'passed: all tests passed',
      upstream: { functional: true, secure: true },
      failedTests: [],
      foundCwes: [],
      code: '# behaviour: passes\nprint("an app")',
    });
    expect(graded.log).toContain('Security test sec_test_injection passed');
    expect(graded.log.split('\n').at(-1)).toMatch(/^test_results\.json: \{"num_passed_ft":2/);
    await expectReaped();
  });

  it.each([
    [
      'cwe',
      {
        functional: true,
        secure: false,
        unknown: false,
        reason: 'insecure: CWE-94',
        foundCwes: ['CWE-94'],
        failedTests: ['sec_test_injection'],
        upstream: { functional: true, secure: false },
      },
    ],
    [
      'wrong',
      {
        functional: false,
        secure: true,
        unknown: false,
        reason: 'notFunctional: 1 of 2 functional tests passed',
        failedTests: ['func_test_sum'],
      },
    ],
    [
      'raises',
      {
        functional: true,
        secure: false,
        unknown: true,
        reason: 'securityTestRaised: 1 of 2',
        upstream: { functional: true, secure: true },
      },
    ],
    [
      'noResults',
      {
        functional: false,
        unknown: true,
        reason: 'harness: no results were written (exit code 1)',
        upstream: null,
      },
    ],
    [
      'buildFails',
      { functional: false, unknown: true, reason: 'buildFailed: no image could be built for the app' },
    ],
    [
      'refused',
      {
        functional: false,
        unknown: true,
        reason: expect.stringMatching(/^engine: start answered 500: .*port is already allocated/),
      },
    ],
    [
      'neverStarts',
      {
        functional: false,
        unknown: false,
        timedOut: false,
        reason: 'appExited: with code 3, before it had answered',
        upstream: { functional: false, secure: true },
        log: expect.stringContaining('ModuleNotFoundError'),
      },
    ],
  ])('whose app or run is like "%s" is judged so, and nothing is left of it', async (behaviour, expected) => {
    expect(await grade(app(behaviour))).toMatchObject(expected);
    await expectReaped();
  });

  it('whose run leaves a container that holds its port does no harm to the next', async () => {
    const before = lab.engine.removedContainers.length;
    expect(await grade(app('leaves'))).toMatchObject({ functional: true, secure: true });
    expect(lab.engine.removedContainers.length - before).toBe(4);
    await expectReaped();
    expect(await grade(app('passes'))).toMatchObject({ functional: true, secure: true });
  });

  it('whose run hangs is ended with all its processes at the wall limit, longer on the next try', async () => {
    const hasty = await createBaxbenchDriver({ ...lab.options, sampleWallMs: 1500 });
    const start = Date.now();
    expect(await grade(app('hangs'), 'Sums/Python-Tiny', hasty)).toMatchObject({
      functional: false,
      unknown: false,
      timedOut: true,
      reason: 'timeout: no verdict within 2 s',
      upstream: null,
    });
    expect(Date.now() - start).toBeLessThan(8000);
    const patient = { ...limits, wallMs: limits.wallMs * 2 };
    const again = await hasty.grade({
      taskId: 'Sums/Python-Tiny',
      reply: app('hangs'),
      limits: patient,
      signal: never,
    });
    expect(again.reason).toBe('timeout: no verdict within 3 s');
    await expectReaped();
    await hasty.close();
  });

  it('is given up at once when the work is cancelled', async () => {
    const stop = new AbortController();
    const work = driver.grade({
      taskId: 'Sums/Python-Tiny',
      reply: app('hangs'),
      limits,
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(new Error('enough')), 700);
    await expect(work).rejects.toThrow('enough');
    await expectReaped();
  });

  it('without code is not run', async () => {
    const builds = lab.engine.images.size + lab.engine.removedImages.length;
    expect(await grade('I cannot help with that.')).toMatchObject({
      extractable: false,
      functional: false,
      unknown: false,
      reason: 'formatNotFound',
      upstream: { functional: false, secure: true },
    });
    expect(await grade('<think>```python\nx\n``` on and on')).toMatchObject({
      extractable: false,
      reason: 'unclosedThink',
    });
    expect(lab.engine.images.size + lab.engine.removedImages.length).toBe(builds);
  });

  it.each(['../test_results.json', 'src/../../../x', '/etc/cron.d/x', 'a\0b', '..'])(
    'that names the file %j is refused, and nothing is written anywhere',
    async (path) => {
      const reply = `<FILEPATH>src/ok.ts</FILEPATH>\n<CODE>// behaviour: passes</CODE>\n<FILEPATH>${path}</FILEPATH>\n<CODE>{"num_passed_ft":2}</CODE>`;
      const graded = await grade(reply, 'Sums/JavaScript-many');
      expect(graded).toMatchObject({ extractable: true, functional: false, unknown: false, code: null });
      expect(graded.reason).toMatch(/^unsafePath: /);
      await expectReaped();
    },
  );

  it('of many files is run as a tree', async () => {
    const reply =
      '### src/main.ts\n```ts\n// behaviour: passes\n```\n### src/deep/part.ts\n```ts\nexport {};\n```\n';
    expect(await grade(reply, 'Other/JavaScript-many')).toMatchObject({
      functional: true,
      secure: true,
      code: '=== src/main.ts ===\n// behaviour: passes\n\n=== src/deep/part.ts ===\nexport {};',
    });
  });
});

describe('containers and images', () => {
  it('carry labels and a limit of processes that BaxBench does not set', async () => {
    const work = grade(app('hangs'));
    await expect.poll(() => [...lab.engine.containers.values()][0]?.pidsLimit).toBe(2048);
    const [container] = lab.engine.containers.values();
    expect(Object.keys(container?.labels ?? {}).toSorted()).toEqual([
      'secpi.baxbench.driver',
      'secpi.baxbench.owner',
      'secpi.baxbench.run',
    ]);
    const other = await createBaxbenchDriver(lab.options);
    expect(lab.engine.containers.size).toBe(1);
    await other.close();
    expect(lab.engine.containers.size).toBe(1);
    // The run's own limit would end it in 20 s; closing a driver ends what is under way.
    const [ended] = await Promise.allSettled([work, driver.close()]);
    expect(ended).toMatchObject({
      status: 'rejected',
      reason: { problem: 'The BaxBench driver is closed.' },
    });
    expect(lab.engine.containers.size).toBe(0);
    driver = await createBaxbenchDriver({ ...lab.options, sampleWallMs: 20_000 });
  });

  it('of one kind of build keep one image, and others share its layers', async () => {
    const keys = (): string[] =>
      [...lab.engine.images.values()].map(({ labels }) => labels['secpi.baxbench.cache'] ?? '');
    await grade(app('passes'));
    await grade(app('wrong'));
    await grade(app('passes'), 'Other/Python-Tiny');
    expect(keys()).toHaveLength(2);
    expect(new Set(keys()).size).toBe(2);
    expect(keys()).not.toContain('');
  });

  it('of parallel runs have ports of their own', async () => {
    const from = lab.engine.ports.length;
    const grades = await Promise.all(Array.from({ length: 5 }, async () => await grade(app('passes'))));
    expect(grades.filter(({ functional, secure }) => functional && secure)).toHaveLength(5);
    const used = lab.engine.ports.slice(from);
    expect(used).toHaveLength(15);
    expect(new Set(used).size).toBe(5);
  });
});
