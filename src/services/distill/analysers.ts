/**
 * Static analysers that others keep: bandit for Python, flawfinder for C and C++. They read the code, nothing of it
 * runs, and comments in it that would silence them are ignored.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import type { DistillSettings } from '../../contract/recipe.ts';
import { BANDIT, FLAWFINDER, type Analyser, type AnalysedFile } from './analyserTools.ts';
import type { Candidate } from './candidates.ts';

export type AnalyserName = DistillSettings['oracles']['analysers'][number];

const TOOLS: Readonly<Record<AnalyserName, Analyser>> = { bandit: BANDIT, flawfinder: FLAWFINDER };
const execute = promisify(execFile);
const MAX_REPORT_BYTES = 256 * 1024 ** 2;
const VERSION_TIMEOUT_MS = 60_000;

/** `notJudged`: none of the analysers knows the language. */
export type Analysis =
  | { readonly kind: 'passed' }
  | { readonly kind: 'finding'; readonly detail: string }
  | { readonly kind: 'notJudged' };

export interface AnalyseOptions {
  /** The Python that has the analysers. */
  readonly pythonPath: string;
  readonly names: readonly AnalyserName[];
  readonly signal?: AbortSignal;
  /** Where the code lies meanwhile; default: the system's folder. */
  readonly tempDir?: string;
  /** Of one call of one analyser over all files; default 10 minutes. */
  readonly timeoutMs?: number;
}

/** Throws ANALYSER_UNAVAILABLE when one of them does not start. */
export async function analysersAvailable(pythonPath: string, names: readonly AnalyserName[]): Promise<void> {
  for (const name of names) {
    try {
      await execute(pythonPath, ['-I', '-m', name, '--version'], { timeout: VERSION_TIMEOUT_MS });
    } catch (cause) {
      throw new SecpiError(
        'ANALYSER_UNAVAILABLE',
        `${pythonPath} cannot run ${name}: ${lastLine(messageOf(cause))}.`,
        { field: 'distill.oracles.analysers', cause },
      );
    }
  }
}

/** One call of each analyser for all candidates; the result has the candidates' order. */
export async function analyse(
  candidates: readonly Candidate[],
  options: AnalyseOptions,
): Promise<Analysis[]> {
  const result: Analysis[] = candidates.map(() => ({ kind: 'notJudged' }));
  for (const name of options.names) {
    const tool = TOOLS[name];
    const files = candidates.flatMap(({ language, code }, position): AnalysedFile[] => {
      const extension = tool.extensions[language];
      return extension === undefined ? [] : [{ position, name: `${position}.${extension}`, code }];
    });
    if (files.length === 0) continue;
    const findings = await analyseFiles(tool, files, options);
    for (const { position } of files) {
      const detail = findings.get(position);
      result[position] = detail === undefined ? { kind: 'passed' } : { kind: 'finding', detail };
    }
  }
  return result;
}

/**
 * The first finding of each file, by position. Code that brings the analyser down is found by halves; alone, it counts
 * as a finding, since nobody looked at it.
 */
async function analyseFiles(
  tool: Analyser,
  files: readonly AnalysedFile[],
  options: AnalyseOptions,
): Promise<Map<number, string>> {
  try {
    return await callAnalyser(tool, files, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    await analysersAvailable(options.pythonPath, [tool.name]);
    const [only] = files;
    if (only === undefined || files.length === 1)
      return new Map(
        only === undefined ? [] : [[only.position, `${tool.name} gave up: ${lastLine(messageOf(cause))}`]],
      );
    const middle = Math.ceil(files.length / 2);
    const halves = [files.slice(0, middle), files.slice(middle)];
    const findings = new Map<number, string>();
    for (const half of halves)
      for (const [position, detail] of await analyseFiles(tool, half, options))
        findings.set(position, detail);
    return findings;
  }
}

async function callAnalyser(
  tool: Analyser,
  files: readonly AnalysedFile[],
  { pythonPath, signal, tempDir = tmpdir(), timeoutMs = 600_000 }: AnalyseOptions,
): Promise<Map<number, string>> {
  const folder = await mkdtemp(join(tempDir, 'secpi-analyse-'));
  try {
    const code = join(folder, 'code');
    await mkdir(code);
    for (const file of files) await writeFile(join(code, file.name), file.code);
    // -I: neither the folder nor the environment adds modules to what Python imports.
    const report = await run(pythonPath, ['-I', '-X', 'utf8', '-m', tool.name, ...tool.options, code], {
      cwd: folder,
      env: {},
      timeout: timeoutMs,
      maxBuffer: MAX_REPORT_BYTES,
      ...(signal === undefined ? {} : { signal }),
    });
    return tool.read(report, new Map(files.map(({ name, position }) => [name, position])));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** stdout of a call that ended with 0 or 1: analysers tell findings by 1. */
async function run(
  command: string,
  args: readonly string[],
  options: Parameters<typeof execute>[2],
): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { ...options, encoding: 'utf8' });
    return stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error)
      return String(error.stdout);
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
