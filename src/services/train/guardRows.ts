/** Guard rows: what nothing is trained on, and whose loss shows forgetting; as a file in the trainer's row shape. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import type { Guard } from '../../contract/recipe.ts';
import { chatMessageSchema } from '../../contract/rows.ts';
import { canonicalLine, parseS3Uri, sha256Hex, type Store } from '../store/index.ts';

export interface GuardRowsOptions {
  readonly store: Pick<Store, 'objects'>;
  /** Relative paths of recipes start here. */
  readonly baseDir: string;
  /** The file is written below it, under the name of its hash. */
  readonly cacheDir: string;
}

export interface LocalGuardRows {
  /** JSON Lines `{id, prompt: [{role, content}], reasoning?, answer}`. */
  readonly file: string;
  readonly rows: number;
  /** Of the file: equal rows, equal hash, wherever they came from. */
  readonly sha256: string;
}

const FIELD = 'finetune.guard.rows';
const EMBEDDED = fileURLToPath(new URL('../../../records/guard/rows.jsonl', import.meta.url));
/** The guard is measured at every evaluation: more rows would cost more than they tell. */
const MAX_ROWS = 10_000;

const guardRowSchema = z.strictObject({
  id: z.string().min(1),
  prompt: z.union([z.string().min(1), z.array(chatMessageSchema).min(1)]),
  reasoning: z.string().optional(),
  answer: z.string().min(1),
});

/**
 * Null where the recipe wants no guard. Throws DATASET_NOT_FOUND, DATASET_EMPTY and DATASET_UNREADABLE (with the line)
 * for `finetune.guard.rows`.
 */
export async function localGuardRows(
  guard: Guard | null,
  options: GuardRowsOptions,
): Promise<LocalGuardRows | null> {
  if (guard === null) return null;
  const lines = rowsIn(await readSource(guard.rows, options), guard.rows);
  const text = lines.join('');
  const sha256 = sha256Hex(text);
  const file = join(options.cacheDir, 'guard-rows', `${sha256}.jsonl`);
  // Beside, then renamed: another training of this host may read it at this moment.
  const partial = `${file}.${randomUUID()}.partial`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(partial, text);
  await rename(partial, file);
  return { file, rows: lines.length, sha256 };
}

async function readSource(rows: string, { store, baseDir }: GuardRowsOptions): Promise<string> {
  if (!rows.startsWith('s3://')) {
    const path = rows === 'embedded' ? EMBEDDED : resolve(baseDir, rows.replace(/^file:(?:\/\/)?/u, ''));
    return await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new SecpiError('DATASET_NOT_FOUND', `the GPU worker cannot read ${path}: ${messageOf(cause)}.`, {
        field: FIELD,
        remedy: 'Give "embedded", an s3:// URI of a JSON Lines file, or a path of the GPU worker.',
        cause,
      });
    });
  }
  const location = parseS3Uri(rows);
  const found = location === null ? null : await store.objects.inBucket(location.bucket).get(location.key);
  if (found !== null) return found.bytes.toString('utf8');
  throw new SecpiError('DATASET_NOT_FOUND', `there is no object at ${rows}.`, { field: FIELD });
}

/** One canonical line a row. */
function rowsIn(text: string, source: string): string[] {
  const ids = new Set<string>();
  const rows = text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const row = parseRow(line, index + 1, source);
    if (ids.has(row.id)) throw unreadable(source, index + 1, `the id "${row.id}" occurs twice`);
    ids.add(row.id);
    const prompt =
      typeof row.prompt === 'string' ? [{ role: 'user' as const, content: row.prompt }] : row.prompt;
    // Without reasoning the field is left out: an empty thought would be measured as well.
    const { reasoning = '', ...rest } = row;
    return [canonicalLine(reasoning === '' ? { ...rest, prompt } : { ...rest, prompt, reasoning })];
  });
  if (rows.length === 0)
    throw new SecpiError('DATASET_EMPTY', `${source} holds no rows.`, {
      field: FIELD,
      remedy: 'Give at least one row, or "guard": null to measure no forgetting.',
    });
  if (rows.length <= MAX_ROWS) return rows;
  throw new SecpiError('DATASET_UNREADABLE', `${source} holds ${rows.length} rows.`, {
    field: FIELD,
    remedy: `Give at most ${MAX_ROWS}: the loss of all of them is measured at every evaluation.`,
  });
}

function parseRow(line: string, number: number, source: string): z.infer<typeof guardRowSchema> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw unreadable(source, number, `is not JSON (${messageOf(cause)})`, cause);
  }
  const parsed = guardRowSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unreadable(
    source,
    number,
    `${issue?.path.join('.') || 'the row'}: ${issue?.message ?? 'does not fit'}`,
  );
}

function unreadable(source: string, line: number, problem: string, cause?: unknown): SecpiError {
  return new SecpiError('DATASET_UNREADABLE', `line ${line} of ${source}: ${problem}.`, {
    field: FIELD,
    remedy:
      'Every row needs {"id": text, "prompt": text or messages, "answer": text}, and "reasoning" if you like.',
    cause,
  });
}
