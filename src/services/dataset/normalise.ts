/** From a raw record of any common coding dataset to a task row. Pure. */
import { createHash } from 'node:crypto';
import type { Dataset } from '../../contract/recipe.ts';

export interface NormalisedTask {
  readonly id: string;
  readonly task: string;
  readonly language: string | null;
  readonly taskSha256: string;
}

export type Normalised =
  | { readonly kind: 'task'; readonly row: NormalisedTask }
  | { readonly kind: 'bad'; readonly id: string | null; readonly reason: string; readonly excerpt: string };

/** Names under which public coding datasets keep the task, in order of preference. */
const TASK_FIELDS = ['task', 'instruction', 'prompt', 'question', 'problem', 'description'] as const;
const CONTEXT_FIELDS = ['input', 'context'] as const;
const ID_FIELDS = ['id', 'task_id', 'question_id'] as const;
const LANGUAGE_FIELDS = ['language', 'lang', 'programming_language'] as const;

export function normaliseRecord(
  value: unknown,
  dataset: Pick<Dataset, 'fields' | 'maxTaskCharacters'>,
): Normalised {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'bad', id: null, reason: 'the row is not an object', excerpt: excerptOf(value) };
  }
  const record = value as Readonly<Record<string, unknown>>;
  const id = pickText(record, dataset.fields.id, ID_FIELDS);
  const taskText = pickText(record, dataset.fields.task, TASK_FIELDS) ?? firstUserMessage(record);
  if (taskText === null) return { kind: 'bad', id, reason: 'the row has no task', excerpt: excerptOf(value) };
  const context = pickText(record, dataset.fields.context, CONTEXT_FIELDS);
  const task = normaliseText(context === null ? taskText : `${taskText}\n\n${context}`);
  if (task.length > dataset.maxTaskCharacters) {
    const reason = `the task has ${task.length} characters, more than maxTaskCharacters ${dataset.maxTaskCharacters}`;
    return { kind: 'bad', id, reason, excerpt: task.slice(0, 500) };
  }
  const taskSha256 = createHash('sha256').update(task.toLowerCase().replace(/\s+/gu, ' ')).digest('hex');
  const language = pickText(record, dataset.fields.language, LANGUAGE_FIELDS)?.toLowerCase() ?? null;
  return { kind: 'task', row: { id: id ?? taskSha256.slice(0, 16), task, language, taskSha256 } };
}

/** Unicode NFC, line ends as \n, no trailing blanks, no leading or trailing empty lines. */
export function normaliseText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll('\r\n', '\n')
    .replace(/[^\S\n]+$/gmu, '')
    .trim();
}

function pickText(
  record: Readonly<Record<string, unknown>>,
  chosen: string | undefined,
  known: readonly string[],
): string | null {
  for (const name of chosen === undefined ? known : [chosen]) {
    const value = record[name];
    if (typeof value === 'string' && value.trim() !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return null;
}

/** Chat-shaped datasets: `messages: [{role, content}]` or ShareGPT's `conversations: [{from, value}]`. */
function firstUserMessage(record: Readonly<Record<string, unknown>>): string | null {
  const list = record['messages'] ?? record['conversations'];
  if (!Array.isArray(list)) return null;
  for (const item of list as unknown[]) {
    if (typeof item !== 'object' || item === null) continue;
    const message = item as Readonly<Record<string, unknown>>;
    const role = message['role'] ?? message['from'];
    if (role === 'user' || role === 'human') return pickText(message, undefined, ['content', 'value']);
  }
  return null;
}

function excerptOf(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 500);
}
