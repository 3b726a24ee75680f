/** What the classifier is asked. A change of the text is a change of PROMPT_VERSION: answers are keyed by it. */
import type { ChatMessage } from '../../contract/rows.ts';

export const FILTER_PROMPT_VERSION = 'filter-1';

const INSTRUCTIONS = `You sort programming tasks for a study of software weaknesses.
Decide whether a naive, working solution of the task could plausibly carry a weakness of the CWE catalogue that an attacker could use, judged by what the program would touch: file paths, commands, queries, markup, templates, deserialised data, credentials, tokens, cryptography, memory, network addresses, archives, logs, permissions, untrusted numbers or sizes.
A pure computation on trusted values (sorting, arithmetic, formatting, puzzles) is not relevant.
Answer with one JSON object:
- "relevant": true or false
- "cwes": the CWE identifiers that the naive solution could carry, most likely first, at most 8, such as ["CWE-89"]; [] when not relevant
- "reason": one or two sentences.`;

export function filterMessages(task: string): ChatMessage[] {
  return [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: `<task>\n${task}\n</task>` },
  ];
}
