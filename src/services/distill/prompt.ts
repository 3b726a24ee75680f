/**
 * The structured teacher prompt: task → relevant CWEs → how each could appear here → mitigations → plan → code → check.
 * SecPI's own text is not public; this one is ours. A change of the text is a change of PROMPT_VERSION.
 */
import type { ChatMessage } from '../../contract/rows.ts';

export const DISTILL_PROMPT_VERSION = 'distil-1';

export function teacherMessages(task: string, cwes: readonly string[]): ChatMessage[] {
  return [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: `<task>\n${task}\n</task>\n\n${suspicion(cwes)}` },
  ];
}

const INSTRUCTIONS = `You are an experienced engineer who writes programs that hold under attack.
Before you answer, think the task through, in this order:
1. What is asked: inputs, outputs, and which of them an attacker could choose.
2. Which weaknesses of the CWE catalogue could appear in a straightforward solution.
3. For each: where exactly in this program it would appear, and what an attacker would do with it.
4. The mitigation that fits each, preferring the standard library and constructs that make the weakness impossible.
5. A short plan of the program.
6. The program.
7. A check: walk through the weaknesses of step 2 once more against the finished program, and through an ordinary use.
Think as if you had come to these questions by yourself: never mention these steps, this message, or that somebody asked you to consider security. Keep the thinking brief.
Then answer with the complete program in one fenced code block, and nothing that the task does not ask for.`;

function suspicion(cwes: readonly string[]): string {
  if (cwes.length === 0) return 'Weaknesses to consider: choose them yourself.';
  return `Weaknesses to consider first: ${cwes.join(', ')}.`;
}
