/** What a static analyser is to the second opinion: where it was found, which languages it reads, how it is called. */
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AnalyserName } from '../../../contract/benchmarkNames.ts';
import type { AnalyserCaller } from '../../distill/callAnalyser.ts';

export interface AnalyserHost {
  /** The service's environment: only what finds the tools is taken from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The Python that has the analysers of PyPI. */
  readonly pythonPath: string;
  /** For what a tool keeps between calls (Go's build cache). */
  readonly cacheDir: string;
}

export interface AnalyserTool {
  readonly name: AnalyserName;
  /** Of the tool and, where they come apart from it, of its rules. */
  readonly version: string;
  /** The name of a sample's file, relative to the folder of the call; null when the tool does not read the language. */
  fileName(position: number, language: string): string | null;
  /** What of the code the tool gets to read; default: all, as it is. */
  readonly prepare?: (code: string) => string;
  readonly caller: AnalyserCaller;
  /** Wall time of a call besides what each file takes. */
  readonly baseTimeoutMs: number;
}

/** How to get a tool that is not here. */
export interface MissingTool {
  readonly remedy: string;
}

export type FindTool = (host: AnalyserHost) => Promise<AnalyserTool | MissingTool>;

const execute = promisify(execFile);
const VERSION_TIMEOUT_MS = 60_000;
const GIB = 1024 ** 3;

/** A command under bounds that hold whatever the code does to the analyser that reads it. */
export function limited(
  command: readonly [string, ...string[]],
  addressSpaceBytes = 4 * GIB,
): [string, ...string[]] {
  return ['/usr/bin/prlimit', `--as=${addressSpaceBytes}`, '--core=0', '--', ...command];
}

/** File names for tools that know a language by the extension. */
export function namedByExtension(
  extensions: Readonly<Record<string, string>>,
): (position: number, language: string) => string | null {
  return (position, language) => {
    const extension = extensions[language];
    return extension === undefined ? null : `${position}.${extension}`;
  };
}

/** Beside the Python, else on PATH; null when in neither. */
export async function findProgram(
  { environment, pythonPath }: AnalyserHost,
  name: string,
  otherFolders: readonly string[] = [],
): Promise<string | null> {
  const beside = isAbsolute(pythonPath) ? [dirname(pythonPath)] : [];
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of [...beside, ...folders, ...otherFolders]) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return null;
}

/** Throws when the program does not start. */
export async function outputOf(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [program, ...args] = command;
  const { stdout, stderr } = await execute(program, args, { timeout: VERSION_TIMEOUT_MS, env: { ...env } });
  return stdout.trim() || stderr.trim();
}

/** "Cppcheck 2.22.0" → "2.22.0"; the whole first line where it names no number. */
export function versionIn(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return /\d+(\.\d+)+\S*/.exec(line)?.[0] ?? line;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
