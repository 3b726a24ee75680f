/**
 * Reads and checks the records that the teacher answers from: `tasks.jsonl`, `verdicts.jsonl`, and the traces:
 * `traces/<id>.md` is sample 0 of a task, `traces/<id>.1.md` sample 1, and so on.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import { classificationSchema, type Classification } from '../../contract/rows.ts';
import { sha256Hex } from '../store/hash.ts';

const taskSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]+$/),
  language: z.string().min(1),
  instruction: z.string().min(1),
});
const verdictSchema = classificationSchema.extend({ taskId: z.string().min(1) });
type Task = z.infer<typeof taskSchema>;

/** A recorded answer of the teacher, with its reasoning in a leading `<think>…</think>`. */
export interface TraceRecord {
  readonly text: string;
  readonly finishReason: 'stop' | 'length';
}

export interface TaskRecord {
  readonly id: string;
  readonly verdict: Classification;
  /** By sample; empty for a task without a recorded answer. */
  readonly traces: readonly TraceRecord[];
}

/** By `taskHash` of the task's text. */
export type Records = ReadonlyMap<string, TaskRecord>;

/** Equal for texts that differ only in case, white space or Unicode composition. */
export function taskHash(task: string): string {
  return sha256Hex(task.normalize('NFC').toLowerCase().replace(/\s+/gu, ' ').trim());
}

/** Throws DATASET_UNREADABLE naming file and line. */
export async function loadRecords(folder: string): Promise<Records> {
  const tasks = await readLines(join(folder, 'tasks.jsonl'), taskSchema);
  const verdicts = await readLines(join(folder, 'verdicts.jsonl'), verdictSchema);
  const traces = await readTraces(join(folder, 'traces'));
  const records = new Map<string, TaskRecord>();
  const known = new Map<string, Task>();
  for (const { value: task, where } of tasks) {
    const hash = taskHash(task.instruction);
    if (known.has(task.id)) throw unfit(where, `the id ${task.id} is taken by an earlier line`);
    const twin = records.get(hash);
    if (twin !== undefined) throw unfit(where, `${task.id} has the same text as ${twin.id}`);
    const [verdict, ...more] = verdicts.filter(({ value }) => value.taskId === task.id);
    if (verdict === undefined) throw unfit(where, `${task.id} has no verdict`);
    if (more[0] !== undefined) throw unfit(more[0].where, `${task.id} has a verdict already`);
    const { taskId: _id, ...classification } = verdict.value;
    known.set(task.id, task);
    records.set(hash, { id: task.id, verdict: classification, traces: traces.get(task.id) ?? [] });
  }
  for (const { value, where } of verdicts)
    if (!known.has(value.taskId)) throw unfit(where, `there is no task ${value.taskId}`);
  for (const id of traces.keys())
    if (!known.has(id)) throw unfit(join(folder, 'traces', `${id}.md`), `there is no task ${id}`);
  return records;
}

interface Line<Value> {
  readonly value: Value;
  /** `path:line` */
  readonly where: string;
}

async function readLines<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<Line<z.output<Schema>>[]> {
  const text = await readText(path);
  return text
    .split('\n')
    .flatMap((line, at) => (line.trim() === '' ? [] : [parseLine(line, `${path}:${at + 1}`, schema)]));
}

function parseLine<Schema extends z.ZodType>(
  line: string,
  where: string,
  schema: Schema,
): Line<z.output<Schema>> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw unfit(where, messageOf(error), error);
  }
  const result = schema.safeParse(json);
  if (result.success) return { value: result.data, where };
  throw unfit(
    where,
    result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    result.error,
  );
}

/** By task, in the order of the samples. */
async function readTraces(folder: string): Promise<Map<string, readonly TraceRecord[]>> {
  const samples = new Map<string, Map<number, TraceRecord>>();
  for (const file of (await readdir(folder).catch(failRead(folder))).sort()) {
    if (!file.endsWith('.md')) continue;
    const path = join(folder, file);
    const [, id, sample = '0'] = /^([^.]+)(?:\.([1-9]\d*))?\.md$/.exec(file) ?? [];
    if (id === undefined) throw unfit(path, 'the name is neither <task>.md nor <task>.<sample>.md');
    const ofTask = samples.get(id) ?? new Map<number, TraceRecord>();
    samples.set(id, ofTask.set(Number(sample), parseTrace(await readText(path), path)));
  }
  return new Map([...samples].map(([id, ofTask]) => [id, inOrder(folder, id, ofTask)]));
}

/** Samples without a gap: the teacher counts them to choose one. */
function inOrder(
  folder: string,
  id: string,
  samples: ReadonlyMap<number, TraceRecord>,
): readonly TraceRecord[] {
  return Array.from({ length: samples.size }, (_, sample) => {
    const trace = samples.get(sample);
    if (trace === undefined)
      throw unfit(
        join(folder, `${id}${sample === 0 ? '' : `.${sample}`}.md`),
        'is missing, but a later sample is there',
      );
    return trace;
  });
}

/** A first line `<!-- finish_reason: length -->` tells how the answer ended; it is no part of it. */
export function parseTrace(file: string, where: string): TraceRecord {
  const [, reason] = /^<!--\s*finish_reason:\s*(\S+)\s*-->\n/.exec(file) ?? [];
  const text = (reason === undefined ? file : file.slice(file.indexOf('\n') + 1)).trim();
  if (reason !== undefined && reason !== 'length' && reason !== 'stop')
    throw unfit(`${where}:1`, `unknown finish_reason ${reason}`);
  if (text === '') throw unfit(where, 'the trace is empty');
  return { text, finishReason: reason ?? 'stop' };
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(failRead(path));
}

function failRead(path: string): (error: unknown) => never {
  return (error) => {
    throw unfit(path, messageOf(error), error);
  };
}

function unfit(where: string, problem: string, cause?: unknown): SecpiError {
  return new SecpiError('DATASET_UNREADABLE', `${where}: ${problem}.`, {
    remedy: 'Mend the records of the recorded teacher; records/README.md says what they hold.',
    cause,
  });
}
