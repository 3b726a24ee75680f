/** The project's own suites as benchmarks: `suite` (security) and `guard` (plain tasks that show forgetting). */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { SecpiError } from '../../../contract/errors.ts';
import type { BenchmarkName } from '../../../contract/benchmarkNames.ts';
import type { BenchmarkTaskRow } from '../../../contract/rows.ts';
import type { Sandbox, Toolchain } from '../../sandbox/index.ts';
import type { BenchmarkDriver, DriverGrade, DriverRequest } from '../driver.ts';
import { gradePythonSample, type Grade } from '../grading/index.ts';
import { gradeProgram } from '../program/gradeProgram.ts';
import type { ProgramHost } from '../program/build.ts';
import { findProgramTools, missingTool } from '../program/tools.ts';
import { WarmHosts } from '../warm/index.ts';
import { extractCode } from './extract.ts';
import { languageInfo } from './languages.ts';
import { buildPrompt } from './prompt.ts';
import { codeOfFile, fenced } from './replyOf.ts';
import { loadGuard, loadSuite, suiteContentHash, taskContentHash, type SuiteTask } from './suiteTask.ts';

/** Raised by hand when the same sample can get another verdict. */
const GRADE_VERSION = '2';

/** One more than cores: a grading waits now and then, for a process to start or to answer. */
const CONCURRENCY = availableParallelism() + 1;

export interface SuiteDriverOptions {
  readonly suiteDir: string;
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  /** PATH is read from it, to find Go. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws SecpiError SUITE_INVALID. */
export async function createSuiteDriver(options: SuiteDriverOptions): Promise<BenchmarkDriver> {
  return new SuiteDriver('suite', await loadSuite(options.suiteDir), await hostOf(options));
}

/** @throws SecpiError SUITE_INVALID. */
export async function createGuardDriver(options: SuiteDriverOptions): Promise<BenchmarkDriver> {
  return new SuiteDriver('guard', await loadGuard(options.suiteDir), await hostOf(options));
}

async function hostOf({ sandbox, toolchain, environment }: SuiteDriverOptions): Promise<ProgramHost> {
  const tools = await findProgramTools(toolchain, environment);
  return { sandbox, toolchain, tools, warm: new WarmHosts({ sandbox, toolchain, most: CONCURRENCY }) };
}

class SuiteDriver implements BenchmarkDriver {
  readonly name: BenchmarkName;
  readonly measures: BenchmarkDriver['measures'];
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly versions: BenchmarkDriver['versions'];
  readonly hasUpstreamFigure = false;
  readonly ungradable: ReadonlyMap<string, string>;
  readonly concurrency = CONCURRENCY;
  readonly #byId: ReadonlyMap<string, SuiteTask>;
  readonly #host: ProgramHost;

  constructor(name: 'suite' | 'guard', tasks: readonly SuiteTask[], host: ProgramHost) {
    this.name = name;
    this.measures = name === 'guard' ? 'function' : 'functionAndSecurity';
    this.tasks = tasks.map((task, index) => rowOf(name, task, index));
    this.versions = { ...versionsOf(host), suite: suiteContentHash(tasks) };
    this.ungradable = new Map(
      tasks.flatMap(({ id, language }) => {
        const missing = missingTool(language, host.tools);
        return missing === null ? [] : [[id, missing] as const];
      }),
    );
    this.#byId = new Map(tasks.map((task) => [task.id, task]));
    this.#host = host;
  }

  async reference(taskId: string): Promise<string> {
    const { files, language } = this.#task(taskId);
    return fenced(codeOfFile(files.task.path, await readFile(files.task.path, 'utf8'), language), language);
  }

  async grade({ taskId, reply, limits, signal }: DriverRequest): Promise<DriverGrade> {
    const task = this.#task(taskId);
    const problem = this.ungradable.get(taskId);
    if (problem !== undefined) throw ungradable(taskId, problem);
    const extracted = extractCode(reply, languageInfo[task.language].name, task.entryPoint);
    if (extracted.code === null) return notExtracted(task, extracted.reason);
    const { code } = extracted;
    const grade =
      task.language === 'py'
        ? await this.#gradePython(task, code, { limits, signal })
        : await gradeProgram(this.#host, { task, code, limits, signal });
    return { ...grade, extractable: true, foundCwes: [], upstream: null, code };
  }

  async #gradePython(
    task: SuiteTask,
    code: string,
    { limits, signal }: Pick<DriverRequest, 'limits' | 'signal'>,
  ): Promise<Grade> {
    const { sandbox, toolchain } = this.#host;
    const python = {
      id: task.id,
      entryPoint: task.entryPoint,
      testFile: task.files.test.path,
      moduleName: `${task.id.split('/').at(-1) ?? task.id}_task`,
      expectedTests: task.tests,
    };
    return await gradePythonSample({ sandbox, toolchain, task: python, code, limits, signal });
  }

  async close(): Promise<void> {
    await this.#host.warm.close();
  }

  #task(taskId: string): SuiteTask {
    const task = this.#byId.get(taskId);
    if (task === undefined) throw new Error(`${this.name} has no task ${taskId}`);
    return task;
  }
}

function rowOf(benchmark: 'suite' | 'guard', task: SuiteTask, index: number): BenchmarkTaskRow {
  const prompts = {
    none: buildPrompt(task, 'none'),
    generic: buildPrompt(task, 'generic'),
    specific: buildPrompt(task, 'specific'),
  };
  return {
    index,
    benchmark,
    taskId: task.id,
    cwe: task.cwe,
    cwes: task.cwe === null ? [] : [task.cwe],
    scenario: task.scenario,
    language: languageInfo[task.language].name,
    entryPoint: task.entryPoint,
    prompts,
    testsSha256: taskContentHash(task),
  };
}

function versionsOf({ toolchain, tools }: ProgramHost): Record<string, string> {
  return {
    grading: GRADE_VERSION,
    python: toolchain.pythonVersion,
    pytest: tools.pytest,
    node: tools.node,
    gcc: tools.gcc?.version ?? 'none',
    'g++': tools.gpp?.version ?? 'none',
    go: tools.go?.version ?? 'none',
  };
}

function ungradable(taskId: string, problem: string): SecpiError {
  return new SecpiError('BENCHMARK_UNAVAILABLE', `${taskId} cannot be graded here: ${problem}.`, {
    remedy: '`npx secpi doctor suite` says what to install.',
  });
}

function notExtracted(task: SuiteTask, reason: string): DriverGrade {
  return {
    extractable: false,
    functional: false,
    secure: false,
    unknown: false,
    timedOut: false,
    reason,
    failedTests: [...task.tests.functional, ...task.tests.security],
    foundCwes: [],
    upstream: null,
    code: null,
    log: '',
  };
}
