/** One run of a row's tests in a sandbox: files in, reports out. */
import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../contract/errors.ts';
import { readLines } from '../../benchmarks/grading/lines.ts';
import { HARNESS_INSIDE } from '../../benchmarks/stageHarness.ts';
import {
  DEFAULT_LIMITS,
  openFolder,
  unavailable,
  type Sandbox,
  type SandboxLimits,
  type SandboxRequest,
  type Toolchain,
} from '../../sandbox/index.ts';
import { reportSchema, type TestReport, type TestRun } from './verdict.ts';

export interface RowTestHost {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
}

export interface RowProcess {
  readonly command: SandboxRequest['command'];
  /** By path inside: below /tests or /sample, read-only. */
  readonly files: Readonly<Record<string, string>>;
  readonly limits: Partial<SandboxLimits>;
}

const MAX_LINE_BYTES = 256 * 1024;
const FOLDERS = ['/tests', '/sample'] as const;

/** Reports are lines that begin with a key made for this run; all other output is the code's and says nothing. */
export async function runTests(
  host: RowTestHost,
  harnessDir: string,
  request: RowProcess,
  signal: AbortSignal | undefined,
): Promise<TestRun> {
  return await withFiles(host, harnessDir, request, signal, async (prepared) => {
    const running = await host.sandbox.start(prepared);
    const key = randomBytes(16).toString('hex');
    const reports: TestReport[] = [];
    readLines(
      running.stdout,
      MAX_LINE_BYTES,
      (line) => {
        if (line.startsWith(`${key} `)) reports.push(readReport(line.slice(key.length + 1)));
      },
      () => running.kill(),
    );
    running.stderr.resume();
    // A process that is gone already does not read its key; how it ended is told by `done`.
    running.stdin.on('error', () => undefined);
    running.stdin.end(`${key}\n`);
    const end = await running.done;
    signal?.throwIfAborted();
    if (end.outcome === 'failedToStart') throw unavailable(end);
    return { reports, end };
  });
}

/** A line with the key that is no report came from code that found the key. */
function readReport(line: string): TestReport {
  try {
    return reportSchema.parse(JSON.parse(line));
  } catch (error) {
    return { type: 'broken', why: `a forged report: ${messageOf(error).slice(0, 100)}` };
  }
}

/** stdout of a run in which no code under test takes part. */
export async function runTrusted(
  host: RowTestHost,
  harnessDir: string,
  request: RowProcess,
  signal: AbortSignal | undefined,
): Promise<{ readonly stdout: string; readonly log: string }> {
  return await withFiles(host, harnessDir, request, signal, async (prepared) => {
    const result = await host.sandbox.run(prepared);
    signal?.throwIfAborted();
    if (result.outcome === 'failedToStart') throw unavailable({ ...result, startError: result.stderr });
    const how = result.outcome === 'exited' ? '' : `${result.outcome} `;
    return { stdout: result.stdout, log: `${how}${result.stderr.slice(-500)}` };
  });
}

async function withFiles<T>(
  { sandbox }: RowTestHost,
  harnessDir: string,
  { command, files, limits }: RowProcess,
  signal: AbortSignal | undefined,
  work: (request: SandboxRequest) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  await using folder = await sandbox.createWorkDir();
  const shared = join(folder.path, 'shared');
  await openFolder(shared, 0o777);
  for (const path of FOLDERS) await openFolder(join(folder.path, path));
  for (const [path, text] of Object.entries(files)) {
    await writeFile(join(folder.path, path), text);
    await chmod(join(folder.path, path), 0o644);
  }
  return await work({
    command,
    workDir: shared,
    workWritable: true,
    readOnly: [
      { host: harnessDir, inside: HARNESS_INSIDE },
      ...FOLDERS.map((inside) => ({ host: join(folder.path, inside), inside })),
    ],
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(signal === undefined ? {} : { signal }),
  });
}
