/** From a raw record of any common coding dataset to a task row. Pure. */
import { hash } from 'node:crypto';
import type { Dataset } from '../../contract/recipe.ts';
import { excerptOf, isRecord, pickLines, pickText, type RawRow } from './fields.ts';

export interface NormalisedTask {
  /** The source's id; null where it has none. */
  readonly id: string | null;
  readonly task: string;
  /** In lower case, as the source says. */
  readonly language: string | null;
  readonly taskSha256: string;
  readonly tests: string | null;
}

export type Normalised =
  | { readonly kind: 'task'; readonly row: NormalisedTask }
  | { readonly kind: 'bad'; readonly id: string | null; readonly reason: string; readonly excerpt: string };

/** Names under which public coding datasets keep the task, in order of preference; so for the other fields. */
export const WELL_KNOWN_FIELDS = {
  task: ['task', 'instruction', 'prompt', 'question', 'problem', 'description'],
  conversation: ['messages', 'conversations'],
  context: ['input', 'context'],
  id: ['id', 'task_id', 'question_id'],
  language: ['language', 'lang', 'programming_language'],
  tests: ['tests', 'test', 'test_code', 'unit_tests'],
} as const;

export function normaliseRecord(
  value: unknown,
  { fields, maxTaskCharacters }: Pick<Dataset, 'fields' | 'maxTaskCharacters'>,
): Normalised {
  if (!isRecord(value))
    return { kind: 'bad', id: null, reason: 'the row is not an object', excerpt: excerptOf(value) };
  const id = pickText(value, fields.id, WELL_KNOWN_FIELDS.id);
  const taskText = pickText(value, fields.task, WELL_KNOWN_FIELDS.task) ?? firstUserMessage(value);
  if (taskText === null) return { kind: 'bad', id, reason: 'the row has no task', excerpt: excerptOf(value) };
  const context = pickText(value, fields.context, WELL_KNOWN_FIELDS.context);
  const task = normaliseText(context === null ? taskText : `${taskText}\n\n${context}`);
  if (task.length > maxTaskCharacters) {
    const reason = `the task has ${task.length} characters, more than maxTaskCharacters ${maxTaskCharacters}`;
    return { kind: 'bad', id, reason, excerpt: excerptOf(task) };
  }
  return {
    kind: 'task',
    row: {
      id,
      task,
      language: pickText(value, fields.language, WELL_KNOWN_FIELDS.language)?.toLowerCase() ?? null,
      taskSha256: hash('sha256', task.toLowerCase().replace(/\s+/gu, ' ')),
      tests: pickLines(value, fields.tests, WELL_KNOWN_FIELDS.tests),
    },
  };
}

/** Unicode NFC, line ends as \n, no trailing blanks, no leading or trailing empty lines. Linear in the length. */
export function normaliseText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}

/** Chat-shaped datasets: `messages: [{role, content}]` or ShareGPT's `conversations: [{from, value}]`. */
function firstUserMessage(record: RawRow): string | null {
  const list = record['messages'] ?? record['conversations'];
  if (!Array.isArray(list)) return null;
  for (const message of list as unknown[]) {
    if (!isRecord(message)) continue;
    const role = message['role'] ?? message['from'];
    if (role === 'user' || role === 'human') return pickText(message, undefined, ['content', 'value']);
  }
  return null;
}
