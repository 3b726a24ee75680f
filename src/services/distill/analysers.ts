/**
 * Static analysers that others keep: bandit for Python, flawfinder for C and C++. They read the code, nothing of it
 * runs, and comments in it that would silence them are ignored.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import type { DistillSettings } from '../../contract/recipe.ts';
import { BANDIT, FLAWFINDER, moduleCommand, type Analyser } from './analyserTools.ts';
import { callAnalyser, type AnalysedFile, type AnalyserCaller } from './callAnalyser.ts';
import type { Candidate } from './candidates.ts';

export type AnalyserName = DistillSettings['oracles']['analysers'][number];

const TOOLS: Readonly<Record<AnalyserName, Analyser>> = { bandit: BANDIT, flawfinder: FLAWFINDER };
const execute = promisify(execFile);
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

/** The first finding of each file, by position. Code that brings the analyser down is one, since nobody looked at it. */
async function analyseFiles(
  tool: Analyser,
  files: readonly AnalysedFile[],
  { pythonPath, signal, tempDir, timeoutMs = 600_000 }: AnalyseOptions,
): Promise<Map<number, string>> {
  const caller: AnalyserCaller = {
    name: tool.name,
    command: (code) => moduleCommand(pythonPath, tool, code),
    environment: {},
    reportFrom: 'stdout',
    read: tool.read,
    stillThere: async () => await analysersAvailable(pythonPath, [tool.name]),
  };
  const limits = { timeoutMs, ...(signal && { signal }), ...(tempDir !== undefined && { tempDir }) };
  const { findings, unread } = await callAnalyser(caller, files, limits);
  const first = [...findings].flatMap(([position, [finding]]): [number, string][] =>
    finding === undefined ? [] : [[position, finding.detail]],
  );
  return new Map([...first, ...unread]);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
