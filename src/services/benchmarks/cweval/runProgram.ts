/** Compiles and tests one program, in a folder of its own. */
import { mkdir, writeFile, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolder, type WorkDir } from '../../sandbox/index.ts';
import type { GradeLimits } from '../driver.ts';
import { runPytest, type PytestRequest } from '../pytestRun/index.ts';
import type { WarmHosts } from '../warm/index.ts';
import { compileProgram, type CompileContext, type Compiled } from './compile.ts';
import { toolsToTest } from './inside.ts';
import type { CwevalTask } from './tasks.ts';
import type { ProgramRun } from './verdict.ts';

export interface ProgramContext extends CompileContext {
  /** Wall time of one test. */
  readonly testSeconds: number;
  readonly warm: WarmHosts;
  /** Imported before any test file: what all of them import. */
  readonly modules: readonly string[];
}

export interface ProgramRequest {
  readonly task: CwevalTask;
  /** The whole file, as upstream's parser made it. */
  readonly text: string;
  /** As upstream would run it: without canaries and guards, and with `os._exit` made to do nothing. */
  readonly asUpstream: boolean;
  readonly limits: GradeLimits;
  readonly signal: AbortSignal;
}

const GIB = 1024 ** 3;
const COMPILED = 'compiled';
/** Upstream's selection. */
const KEYWORD = 'not _unsafe';
const WITHOUT_EXIT = 'import os as _os; _os._exit = lambda *_: None\n';

/** @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason. */
export async function runProgram(context: ProgramContext, request: ProgramRequest): Promise<ProgramRun> {
  const { sandbox, toolchain, tools, checkout, preparation, testSeconds, warm, modules } = context;
  const { task, text, asUpstream, limits, signal } = request;
  await using work = await sandbox.createWorkDir();
  await layOut(work, task, text, asUpstream);
  const compiled = await compileIfNeeded(context, request, work);
  const { readOnly, env } = toolsToTest(tools);
  const thirdParty = preparation.hasThirdParty
    ? [{ host: join(checkout.home, 'third_party'), inside: '/tmp/third_party' }]
    : [];
  const inProcess = task.language === 'py';
  const pytest: PytestRequest = {
    sandbox,
    toolchain,
    ...(tools.python === null ? {} : { python: tools.python.path }),
    warm,
    preload: modules,
    folder: work.path,
    // Some tests start upstream's own tools by a path from here, and samples may write here.
    cwd: '/tmp',
    testFile: `${task.folder}/${task.testFile}`,
    hideTests: !asUpstream,
    keyword: KEYWORD,
    perTestSeconds: testSeconds,
    expected: task.expected,
    inProcess: inProcess && !asUpstream,
    readOnly: [...thirdParty, ...readOnly],
    env: { ...env, ASAN_OPTIONS: 'detect_leaks=0' },
    limits: {
      // One slow test must not take the time of the others.
      wallMs: Math.max(limits.wallMs, 2000 * testSeconds),
      memoryBytes: limits.memoryBytes,
      addressSpaceBytes: reservesMemory(task) ? null : 4 * GIB,
      processes: 128,
    },
    signal,
  };
  return { compiled, pytest: await runPytest(pytest) };
}

/** AddressSanitizer and WebAssembly, which jsdom loads, reserve far more addresses than they use. */
function reservesMemory({ language, folder }: CwevalTask): boolean {
  return folder.startsWith('lang/') || language === 'js' || language === 'ts';
}

/** As in upstream's folders: the tests find the program beside themselves. */
async function layOut(work: WorkDir, task: CwevalTask, text: string, asUpstream: boolean): Promise<void> {
  const folder = join(work.path, task.folder);
  let inner = work.path;
  for (const part of task.folder.split('/')) {
    inner = join(inner, part);
    await openFolder(inner);
  }
  const test = asUpstream ? WITHOUT_EXIT + task.test : task.test;
  for (const [name, content] of [
    [task.taskFile, text],
    [task.testFile, test],
  ] as const) {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o644);
  }
}

async function compileIfNeeded(
  context: ProgramContext,
  { task, signal }: ProgramRequest,
  work: WorkDir,
): Promise<Compiled | null> {
  const { language } = task;
  if (language !== 'c' && language !== 'cpp' && language !== 'go') return null;
  const folder = join(work.path, task.folder, COMPILED);
  await mkdir(folder);
  await chmod(folder, 0o777);
  const program = task.taskFile.replace(/\.\w+$/, '');
  return await compileProgram(context, {
    folder: work.path,
    source: `${task.folder}/${task.taskFile}`,
    program: `${task.folder}/${COMPILED}/${program}`,
    language,
    signal,
  });
}
