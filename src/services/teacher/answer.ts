/** Which record answers a request. Pure; an unknown task is an error, never an invented answer. */
import { z } from 'zod';
import { splitReasoning } from '../llm/reasoning.ts';
import { cutAt, ProtocolError, type Answer, type ChatCompletionRequest } from './protocol.ts';
import { taskHash, type Records, type TaskRecord } from './records.ts';

export const CLASSIFIER_MODEL = 'recorded-classifier';
export const TEACHER_MODEL = 'recorded-teacher';
export const MODELS: readonly string[] = [CLASSIFIER_MODEL, TEACHER_MODEL];

export function answerFor(request: ChatCompletionRequest, records: Records): Answer {
  if (!MODELS.includes(request.model)) {
    throw new ProtocolError(
      404,
      'model_not_found',
      `The model ${request.model} does not exist here; there are ${MODELS.join(' and ')}.`,
    );
  }
  const record = recordFor(request, records);
  const answer = request.model === CLASSIFIER_MODEL ? verdictOf(record) : traceOf(record, request.seed ?? 0);
  checkFormat(answer, request.response_format);
  return cutAt(answer, request.max_completion_tokens ?? request.max_tokens ?? null);
}

/** The text between the first `<task>` and the last `</task>` of a prompt; null without them. */
export function taskIn(prompt: string): string | null {
  const start = prompt.indexOf('<task>');
  const end = prompt.lastIndexOf('</task>');
  return start < 0 || end < start ? null : prompt.slice(start + '<task>'.length, end).trim();
}

function recordFor(request: ChatCompletionRequest, records: Records): TaskRecord {
  const prompt = request.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const task = taskIn(prompt);
  if (task === null) {
    throw new ProtocolError(
      400,
      'no_task',
      'The last user message holds no task between <task> and </task>; the recorded teacher finds its answer by that text.',
    );
  }
  const record = records.get(taskHash(task));
  if (record !== undefined) return record;
  const start = JSON.stringify(task.slice(0, 80));
  throw new ProtocolError(
    404,
    'unknown_task',
    `No answer is recorded for the task that starts ${start}. The recorded teacher only answers the tasks of records/tasks.jsonl and invents nothing: use a dataset made of them, or name a real endpoint in the recipe.`,
  );
}

function verdictOf(record: TaskRecord): Answer {
  return { content: JSON.stringify(record.verdict), reasoning: null, finishReason: 'stop' };
}

/** A seed always gives the same of the recorded answers, seed 0 the first one; successive seeds go round all of them. */
function traceOf({ id, traces }: TaskRecord, seed: number): Answer {
  const trace = traces.at(seed % Math.max(1, traces.length));
  if (trace === undefined) {
    throw new ProtocolError(
      404,
      'no_recorded_trace',
      `The task ${id} has a verdict but no recorded trace: add records/traces/${id}.md, or name a real endpoint in the recipe.`,
    );
  }
  const { text, reasoning } = splitReasoning({ content: trace.text });
  return { content: text, reasoning, finishReason: trace.finishReason };
}

function checkFormat(answer: Answer, format: ChatCompletionRequest['response_format']): void {
  if (format === undefined || format === null || format.type === 'text') return;
  const json = jsonOf(answer.content);
  if (json === undefined)
    throw new ProtocolError(
      400,
      'not_json',
      `The recorded answer is no JSON, which response_format ${format.type} asks for.`,
    );
  if (format.type === 'json_object') return;
  const { name, schema } = format.json_schema;
  const fits = z.fromJSONSchema(schema).safeParse(json);
  if (fits.success) return;
  const problems = fits.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new ProtocolError(
    400,
    'schema_mismatch',
    `The recorded verdict does not fit the schema ${name}: ${problems}.`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
