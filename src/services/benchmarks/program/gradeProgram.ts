/** Grades one reply for a task whose tests start a program: build it where that is needed, then pytest in one sandbox. */
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolder, TOOLCHAIN_INSIDE, type SandboxLimits } from '../../sandbox/index.ts';
import type { GradeLimits } from '../driver.ts';
import type { Grade } from '../grading/index.ts';
import { gradeOfPytest, runPytest } from '../pytestRun/index.ts';
import type { SuiteTask } from '../suite/suiteTask.ts';
import { buildProgram, type ProgramHost } from './build.ts';

export interface ProgramRequest {
  readonly task: SuiteTask;
  readonly code: string;
  readonly limits: GradeLimits;
  readonly signal: AbortSignal;
}

/** Node and Go reserve address space far beyond what they use. */
const ROOMY_BYTES = 8 * 1024 ** 3;
const MIB = 1024 ** 2;

/** @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason when aborted. */
export async function gradeProgram(host: ProgramHost, request: ProgramRequest): Promise<Grade> {
  const { task, code, signal } = request;
  const { language } = task;
  const name = task.id.split('/').at(-1) ?? task.id;
  await using work = await host.sandbox.createWorkDir();
  const folder = join(work.path, 'tests');
  await openFolder(folder);
  const testFile = `${name}_test.py`;
  await copyFile(task.files.test.path, join(folder, testFile));
  await chmod(join(folder, testFile), 0o644);
  const entry = task.program ?? '';
  if (language === 'c' || language === 'cpp' || language === 'go') {
    const memorySafety = task.id.startsWith('lang/');
    const source = { language, memorySafety, reply: code, entry, preamble: task.preamble };
    const target = join(folder, 'compiled', `${name}_task`);
    const built = await buildProgram(host, source, work.path, target, signal);
    if (built.kind !== 'built') return notBuilt(task, built);
  } else {
    await writeFile(join(folder, `${name}_task.${language}`), `${code}\n\n${entry}\n`, { mode: 0o644 });
  }
  const result = await runPytest({
    sandbox: host.sandbox,
    toolchain: host.toolchain,
    warm: host.warm,
    folder,
    testFile,
    hideTests: true,
    keyword: '',
    perTestSeconds: null,
    expected: task.tests,
    inProcess: false,
    env: environmentFor(request),
    limits: limitsFor(request),
    signal,
  });
  return gradeOfPytest(result, task.tests, { inProcess: false });
}

function notBuilt(
  task: SuiteTask,
  built: { readonly kind: 'refused' | 'timeout'; readonly log: string },
): Grade {
  const [first = ''] = built.log.split('\n').filter((line) => /error|undefined|:\d+:/.test(line));
  return {
    functional: false,
    secure: false,
    unknown: false,
    timedOut: built.kind === 'timeout',
    reason: `${built.kind === 'timeout' ? 'timeout' : 'compileFailed'}: ${(first || built.log.split('\n', 1)[0]) ?? ''}`,
    failedTests: [...task.tests.functional, ...task.tests.security],
    log: built.log,
  };
}

function environmentFor({ task, limits }: ProgramRequest): Record<string, string> {
  if (task.language !== 'c' && task.language !== 'cpp')
    return { PATH: `${TOOLCHAIN_INSIDE.dir}/bin:/usr/bin:/bin`, NO_COLOR: '1' };
  // LeakSanitizer needs ptrace, which the sandbox refuses.
  const residentMib = Math.floor(limits.memoryBytes / MIB / 2);
  return {
    ASAN_OPTIONS: `detect_leaks=0:hard_rss_limit_mb=${residentMib}`,
    UBSAN_OPTIONS: 'print_stacktrace=0',
  };
}

function limitsFor({ task, limits }: ProgramRequest): Partial<SandboxLimits> {
  const isSanitized = task.language === 'c' || task.language === 'cpp';
  return { ...limits, addressSpaceBytes: isSanitized ? null : ROOMY_BYTES };
}
