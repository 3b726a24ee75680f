/** From what passed to what is kept: the best sample of a row, its training pair, and the quotas. Pure. */
import type { FilteredRow, RejectedTrace, TraceRow } from '../../contract/rows.ts';
import { rejectionOf, type Candidate } from './candidates.ts';
import { findSecurityText } from './leaks.ts';
import { teacherMessages, type TeacherPrompt } from './prompt.ts';

/** A candidate that no oracle turned down, and how many of them could judge it. */
export interface Passing {
  readonly candidate: Candidate;
  readonly oracles: number;
}

/**
 * The best of a row: judged by the most oracles, then the shortest (characters of reasoning and answer, so that a
 * small target learns to be brief), then the lowest sample. Null of none.
 */
export function chooseBest(passing: readonly Passing[]): Candidate | null {
  const [best] = [...passing].sort(
    (left, right) =>
      right.oracles - left.oracles ||
      lengthOf(left.candidate) - lengthOf(right.candidate) ||
      left.candidate.sample - right.candidate.sample,
  );
  return best?.candidate ?? null;
}

function lengthOf({ reasoning, answer }: Candidate): number {
  return reasoning.length + answer.length;
}

/**
 * Why a task is not asked about at all, or null: one that asks for security by itself makes no pair that teaches to
 * think of it unasked.
 */
export function refuseTask(row: FilteredRow): RejectedTrace | null {
  const said = findSecurityText(row.task);
  if (said === null) return null;
  const asked = { ...row, sample: 0, answer: '' };
  return rejectionOf(asked, 'leaksInstructions', `the task itself says: "${said}"`);
}

/**
 * The pair's prompt is the task and nothing else: at inference nobody mentions security. `keepPromptInPair` is the
 * ablation: the teacher's messages stay.
 */
export function toPair(
  row: FilteredRow,
  candidate: Candidate,
  prompt: TeacherPrompt,
  keepPromptInPair: boolean,
): TraceRow {
  return {
    index: row.index,
    id: row.id,
    prompt: teacherMessages(row.task, row.cwes, keepPromptInPair ? prompt : 'none'),
    reasoning: candidate.reasoning,
    answer: candidate.answer,
    language: row.language ?? (candidate.language === '' ? null : candidate.language),
    cwes: row.cwes,
    group: row.group,
    sample: candidate.sample,
  };
}

export interface CweQuota {
  /** Null when the pair is kept; else why it is not. Pairs are offered in index order over the whole artefact. */
  take(pair: TraceRow): RejectedTrace | null;
}

/** A pair counts for its first CWE, the likeliest; one without CWEs counts for none. Null is no quota. */
export function createCweQuota(maxTracesPerCwe: number | null): CweQuota {
  const kept = new Map<string, number>();
  return {
    take(pair) {
      const [cwe] = pair.cwes;
      if (cwe === undefined || maxTracesPerCwe === null) return null;
      const before = kept.get(cwe) ?? 0;
      if (before >= maxTracesPerCwe)
        return rejectionOf(pair, 'overQuota', `${cwe} has its ${maxTracesPerCwe} traces`);
      kept.set(cwe, before + 1);
      return null;
    },
  };
}
