/**
 * Runs a static analyser over many files with one call: starting it costs more than reading a file. The code is
 * hostile, but nothing of it runs; it may bring the analyser down, and the files are then tried by halves.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../contract/errors.ts';
import { killGroup } from '../processGroup.ts';

export interface AnalysedFile {
  /** Of the candidate or sample. */
  readonly position: number;
  /** Relative to the folder of the call. */
  readonly name: string;
  readonly code: string;
}

export interface Finding {
  /** e.g. "B602". */
  readonly rule: string;
  /** Rule, name and line. */
  readonly detail: string;
}

export interface AnalyserReport {
  readonly findings: ReadonlyMap<number, readonly Finding[]>;
  /** Files that the analyser could not read, with the reason. */
  readonly unread: ReadonlyMap<number, string>;
}

export interface AnalyserCaller {
  readonly name: string;
  /** The command line over all files of the folder. */
  readonly command: (code: string) => readonly [string, ...string[]];
  /** The whole environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly reportFrom: 'stdout' | 'stderr';
  /** Throws when the text is no report. */
  readonly read: (report: string, positions: ReadonlyMap<string, number>) => AnalyserReport;
  /** Files besides the code, by name. */
  readonly extraFiles?: Readonly<Record<string, string>>;
  /** Asked after a call that failed: throws when the analyser itself does not start. */
  stillThere(): Promise<void>;
}

export interface CallLimits {
  /** Wall time of one call. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Where the code lies meanwhile; default: the system's folder. */
  readonly tempDir?: string;
}

const MAX_REPORT_BYTES = 256 * 1024 ** 2;
const MAX_REASON_CHARACTERS = 300;

/** Code that brings the analyser down is found by halves; alone, it is `unread`. Throws what `stillThere` throws. */
export async function callAnalyser(
  caller: AnalyserCaller,
  files: readonly AnalysedFile[],
  limits: CallLimits,
): Promise<AnalyserReport> {
  const [only] = files;
  if (only === undefined) return { findings: new Map(), unread: new Map() };
  try {
    return await callOnce(caller, files, limits);
  } catch (cause) {
    limits.signal?.throwIfAborted();
    await caller.stillThere();
    if (files.length === 1) {
      const reason = `${caller.name} gave up: ${lastLine(messageOf(cause))}`;
      return { findings: new Map(), unread: new Map([[only.position, reason]]) };
    }
  }
  const middle = Math.ceil(files.length / 2);
  const left = await callAnalyser(caller, files.slice(0, middle), limits);
  const right = await callAnalyser(caller, files.slice(middle), limits);
  return {
    findings: new Map([...left.findings, ...right.findings]),
    unread: new Map([...left.unread, ...right.unread]),
  };
}

async function callOnce(
  caller: AnalyserCaller,
  files: readonly AnalysedFile[],
  { timeoutMs, signal, tempDir = tmpdir() }: CallLimits,
): Promise<AnalyserReport> {
  signal?.throwIfAborted();
  const folder = await mkdtemp(join(tempDir, 'secpi-analyse-'));
  try {
    const code = join(folder, 'code');
    await mkdir(code);
    for (const [name, text] of Object.entries(caller.extraFiles ?? {}))
      await writeFile(join(code, name), text);
    for (const file of files) {
      const path = join(code, file.name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.code);
    }
    const report = await runAnalyser(caller, code, timeoutMs, signal);
    return caller.read(report, new Map(files.map(({ name, position }) => [name, position])));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The report of a call that ended with 0 or 1: analysers tell findings by 1. */
function runAnalyser(
  { command, environment, reportFrom }: AnalyserCaller,
  code: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const [program, ...args] = command(code);
  return new Promise((resolve, reject) => {
    // A group of its own, since some analysers start others.
    const child = spawn(program, args, {
      cwd: code,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let bytes = 0;
    let stopped: Error | null = null;
    const stop = (reason: Error) => {
      stopped ??= reason;
      killGroup(child.pid);
    };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_REPORT_BYTES) stop(new Error(`its report is over ${MAX_REPORT_BYTES} bytes`));
        else output[name].push(chunk);
      });
    const wall = setTimeout(() => stop(new Error(`it took longer than ${timeoutMs / 1000} s`)), timeoutMs);
    const abort = () => stop(new Error('aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    child.once('error', (error) => {
      stopped ??= error;
    });
    child.once('close', (exitCode, signalName) => {
      clearTimeout(wall);
      signal?.removeEventListener('abort', abort);
      const said = lastLine(Buffer.concat(output.stderr).toString('utf8'));
      if (stopped !== null) reject(stopped);
      else if (exitCode === 0 || exitCode === 1) resolve(Buffer.concat(output[reportFrom]).toString('utf8'));
      else reject(new Error(said || `it ended with ${exitCode ?? signalName}`));
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, MAX_REASON_CHARACTERS) ?? '';
}
