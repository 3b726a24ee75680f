/**
 * What the teacher is asked. SecPI's own text is not public; these are ours. A change of a text is a change of its
 * version: paid answers are found again by it.
 */
import type { DistillSettings } from '../../contract/recipe.ts';
import type { ChatMessage } from '../../contract/rows.ts';

export type TeacherPrompt = DistillSettings['prompt'];

const STRUCTURED = `You are an experienced engineer who writes programs that hold under attack.
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

/** The ablation: a reminder that names no weakness. */
const GENERIC = `You are an experienced engineer. Write code that is correct and secure.
Think the task through before you answer, and keep the thinking brief.
Then answer with the complete program in one fenced code block, and nothing that the task does not ask for.`;

/** All that a trace could quote from its instructions; `leaks.ts` compares against it. */
export const INSTRUCTION_TEXTS: readonly string[] = [STRUCTURED, GENERIC];

/**
 * The messages of one task. "structured": a walk through the relevant CWEs, how each could appear here, mitigations,
 * plan, code, check. "generic" leaves the CWEs out, "none" is the bare task.
 */
export function teacherMessages(
  task: string,
  cwes: readonly string[],
  prompt: TeacherPrompt = 'structured',
): ChatMessage[] {
  switch (prompt) {
    case 'structured':
      return [
        { role: 'system', content: STRUCTURED },
        { role: 'user', content: `<task>\n${task}\n</task>\n\n${suspicion(cwes)}` },
      ];
    case 'generic':
      return [
        { role: 'system', content: GENERIC },
        { role: 'user', content: `<task>\n${task}\n</task>` },
      ];
    case 'none':
      return [{ role: 'user', content: task }];
  }
}

function suspicion(cwes: readonly string[]): string {
  if (cwes.length === 0) return 'Weaknesses to consider: choose them yourself.';
  return `Weaknesses to consider first: ${cwes.join(', ')}.`;
}

const PROMPT_VERSIONS: Readonly<Record<TeacherPrompt, string>> = {
  structured: 'distil-1',
  generic: 'distil-generic-1',
  none: 'distil-none-1',
};

/** Part of every request key and of the artefact's fingerprint. */
export function promptVersionOf(prompt: TeacherPrompt): string {
  return PROMPT_VERSIONS[prompt];
}
