/** The checks a teacher's answer must pass before it is kept. Pure; the parse check is `parseCode.ts`. */
import type { RejectionReason } from '../../contract/rows.ts';
import { findCodeBlocks, type CodeBlock } from './codeBlocks.ts';
import { findLeak } from './leaks.ts';

export interface TeacherAnswer {
  readonly text: string;
  readonly reasoning: string | null;
  readonly finishReason: 'stop' | 'length' | 'other';
}

export type TraceCheck =
  | { readonly ok: true; readonly reasoning: string; readonly answer: string; readonly code: CodeBlock }
  | { readonly ok: false; readonly reason: RejectionReason; readonly detail: string };

export function checkTrace(answer: TeacherAnswer): TraceCheck {
  if (answer.finishReason === 'length') return reject('truncated', 'finish_reason is "length"');
  if (answer.finishReason !== 'stop') return reject('truncated', 'finish_reason is not "stop"');
  const tag = /<\/?think(?:ing)?>/i.exec(`${answer.reasoning ?? ''}\n${answer.text}`);
  if (tag !== null) return reject('unbalancedThink', `a stray ${tag[0]} is left`);
  const reasoning = answer.reasoning?.trim() ?? '';
  if (reasoning === '') return reject('noReasoning', 'the answer carries no reasoning');
  const text = answer.text.trim();
  const code = findCodeBlocks(text).at(-1);
  if (code === undefined || code.code.trim() === '')
    return reject('noCodeBlock', 'the answer has no fenced code');
  if (!code.closed) return reject('truncated', 'the last code block is not closed');
  const repeated = findRepetition(reasoning) ?? findRepetition(text);
  if (repeated !== null) return reject('repetition', `repeats: "${repeated}"`);
  const leak = findLeak(`${reasoning}\n${text}`);
  if (leak !== null) return reject('leaksInstructions', `says: "${leak}"`);
  return { ok: true, reasoning, answer: text, code };
}

function reject(reason: RejectionReason, detail: string): TraceCheck {
  return { ok: false, reason, detail };
}

/** A model that loops says the same long run of words again; four times in a row-independent count is not prose. */
const REPEATED_WORDS = 12;
const REPEATED_TIMES = 4;

export function findRepetition(text: string): string | null {
  const words = text.split(/\s+/u).filter((word) => word !== '');
  const seen = new Map<string, number>();
  for (let start = 0; start + REPEATED_WORDS <= words.length; start += 1) {
    const run = words.slice(start, start + REPEATED_WORDS).join(' ');
    const times = (seen.get(run) ?? 0) + 1;
    if (times >= REPEATED_TIMES) return run;
    seen.set(run, times);
  }
  return null;
}
