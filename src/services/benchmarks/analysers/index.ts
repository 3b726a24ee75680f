/**
 * Static analysers as a second opinion on samples. They read the code, nothing of it runs; what they say stands beside
 * the verdict of the tests and is never part of it.
 */
import { analyserNames, type AnalyserName } from '../../../contract/benchmarkNames.ts';
import { messageOf } from '../../../contract/errors.ts';
import type { AnalyserOpinion } from '../../../contract/rows.ts';
import { callAnalyser, type AnalysedFile, type AnalyserReport } from '../../distill/callAnalyser.ts';
import { findCppcheck } from './cppcheck.ts';
import { findGosec } from './gosec.ts';
import { findBandit, findFlawfinder } from './pythonTools.ts';
import { findSemgrep } from './semgrep.ts';
import type { AnalyserHost, AnalyserTool, FindTool } from './tool.ts';

export interface OpinionsOptions extends AnalyserHost {
  readonly names: readonly AnalyserName[];
  /** Told what kept a tool from judging. */
  readonly log?: (line: string) => void;
}

export interface JudgedSample {
  readonly code: string;
  /** Lower case, as in the rows: "python", "c++". */
  readonly language: string;
}

export interface Opinions {
  readonly available: readonly { readonly name: AnalyserName; readonly version: string }[];
  readonly missing: readonly { readonly name: AnalyserName; readonly remedy: string }[];
  /**
   * For each sample the opinions of the tools that read its language, by name. One call of each tool for all samples:
   * starting one costs up to seconds, so hand over some hundred at once. Throws the signal's reason when aborted.
   */
  judgeMany(samples: readonly JudgedSample[], signal: AbortSignal): Promise<AnalyserOpinion[][]>;
  judge(code: string, language: string, signal: AbortSignal): Promise<AnalyserOpinion[]>;
}

const FINDERS: Readonly<Record<AnalyserName, FindTool>> = {
  bandit: findBandit,
  flawfinder: findFlawfinder,
  cppcheck: findCppcheck,
  gosec: findGosec,
  semgrep: findSemgrep,
};
const MAX_RULES = 20;
/** Of one more file in a call, on a loaded machine. */
const FILE_TIMEOUT_MS = 1000;

/** Looks for the tools once, by starting each. What is not there is told in `missing`, and no error. */
export async function createOpinions({ names, log, ...host }: OpinionsOptions): Promise<Opinions> {
  const tools: AnalyserTool[] = [];
  const missing: { name: AnalyserName; remedy: string }[] = [];
  for (const name of analyserNames.filter((known) => names.includes(known))) {
    const found = await FINDERS[name](host).catch((cause: unknown) => ({
      remedy: `Install ${name} again; it is there and does not start: ${lastLine(cause)}.`,
    }));
    if ('remedy' in found) missing.push({ name, remedy: found.remedy });
    else tools.push(found);
  }

  const judgeMany: Opinions['judgeMany'] = async (samples, signal) => {
    const opinions: AnalyserOpinion[][] = samples.map(() => []);
    for (const tool of tools) {
      const files = samples.flatMap(({ code, language }, position): AnalysedFile[] => {
        const name = tool.fileName(position, language);
        return name === null ? [] : [{ position, name, code: tool.prepare?.(code) ?? code }];
      });
      if (files.length === 0) continue;
      const report = await reportOf(tool, files, signal, log);
      for (const { position } of files) opinions[position]?.push(opinionOf(tool.name, report, position));
    }
    return opinions;
  };
  const judge: Opinions['judge'] = async (code, language, signal) =>
    (await judgeMany([{ code, language }], signal))[0] ?? [];
  return { available: tools.map(({ name, version }) => ({ name, version })), missing, judgeMany, judge };
}

/** Null when the tool itself broke down: an opinion is never worth the run. */
async function reportOf(
  { name, caller, baseTimeoutMs }: AnalyserTool,
  files: readonly AnalysedFile[],
  signal: AbortSignal,
  log: ((line: string) => void) | undefined,
): Promise<AnalyserReport | null> {
  try {
    const timeoutMs = baseTimeoutMs + files.length * FILE_TIMEOUT_MS;
    return await callAnalyser(caller, files, { timeoutMs, signal });
  } catch (cause) {
    signal.throwIfAborted();
    log?.(`${name} judges none of ${files.length} samples: ${messageOf(cause)}`);
    return null;
  }
}

function lastLine(cause: unknown): string {
  return messageOf(cause).trim().split('\n').at(-1) ?? '';
}

function opinionOf(name: AnalyserName, report: AnalyserReport | null, position: number): AnalyserOpinion {
  if (report === null || report.unread.has(position)) return { name, findings: null, rules: [] };
  const findings = report.findings.get(position) ?? [];
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort();
  return { name, findings: findings.length, rules: rules.slice(0, MAX_RULES) };
}
