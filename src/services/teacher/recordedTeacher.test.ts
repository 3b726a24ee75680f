/** The recorded teacher over real HTTP, asked by the `openai` client and by this project's own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { classificationSchema } from '../../contract/rows.ts';
import { createChatClient } from '../llm/client.ts';
import { checkEndpoint } from '../llm/preflight.ts';
import { parseStructured } from '../llm/structured.ts';
import { startRecordedTeacher, type RecordedTeacher } from './recordedTeacher.ts';

const TASKS = [
  { id: 'a-1', language: 'python', instruction: 'Write a function that reads a file.' },
  { id: 'a-2', language: 'go', instruction: 'Sort numbers.' },
];
const VERDICTS = [
  { taskId: 'a-1', relevant: true, cwes: ['CWE-22'], reason: 'A path.' },
  { taskId: 'a-2', relevant: false, cwes: [], reason: 'Pure.' },
];
const sampling = { temperature: 0, topP: 1, maxTokens: 1000, seed: 0 };

let folder: string;
let teacher: RecordedTeacher | null = null;
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secpi-records-'));
  await mkdir(join(folder, 'traces'));
  await writeFile(join(folder, 'tasks.jsonl'), lines(TASKS));
  await writeFile(join(folder, 'verdicts.jsonl'), lines(VERDICTS));
  await writeFile(
    join(folder, 'traces', 'a-1.md'),
    '<!-- finish_reason: length -->\n<think>\nIt may leave the folder.\n</think>\n\n```python\npass\n```\n',
  );
});
afterEach(async () => {
  await teacher?.close();
  teacher = null;
  await rm(folder, { recursive: true });
});

async function start(latencyMs = 0): Promise<RecordedTeacher> {
  teacher = await startRecordedTeacher({ recordsDir: folder, port: 0, latencyMs });
  return teacher;
}
const prompt = (task: string): { role: 'user'; content: string }[] => [
  { role: 'user', content: `<task>\n${task}\n</task>\n\nThink.` },
];

describe('the protocol', () => {
  test('chat completion with structured output', async () => {
    const { url } = await start();
    const client = createChatClient({ baseUrl: url, model: 'recorded-classifier', timeoutMs: 5000 });
    const completion = await client.complete({
      messages: prompt(TASKS[0]?.instruction ?? ''),
      sampling,
      responseSchema: { name: 'verdict', schema: classificationSchema },
    });
    expect(parseStructured(completion, classificationSchema)).toEqual({
      relevant: true,
      cwes: ['CWE-22'],
      reason: 'A path.',
    });
    expect(completion).toMatchObject({ finishReason: 'stop', reasoning: null, model: 'recorded-classifier' });
    expect(completion.usage.promptTokens).toBeGreaterThan(10);
    await client.close();
  });

  test('reasoning apart from the text, and the recorded finish_reason', async () => {
    const { url } = await start();
    const client = createChatClient({ baseUrl: url, model: 'recorded-teacher', timeoutMs: 5000 });
    const completion = await client.complete({ messages: prompt(TASKS[0]?.instruction ?? ''), sampling });
    expect(completion).toMatchObject({
      text: '```python\npass\n```',
      reasoning: 'It may leave the folder.',
      finishReason: 'length',
      unbalancedThink: false,
    });
    expect(completion.usage.reasoningTokens).toBe(6);
    await client.close();
  });

  test('another seed gives another recorded answer', async () => {
    await writeFile(join(folder, 'traces', 'a-1.1.md'), '<think>\nResolve it.\n</think>\n\nsecond');
    const { url } = await start();
    const client = createChatClient({ baseUrl: url, model: 'recorded-teacher', timeoutMs: 5000 });
    const ask = async (seed: number): Promise<string> =>
      (
        await client.complete({
          messages: prompt(TASKS[0]?.instruction ?? ''),
          sampling: { ...sampling, seed },
        })
      ).text;
    expect([await ask(1), await ask(0), await ask(2)]).toEqual([
      'second',
      '```python\npass\n```',
      '```python\npass\n```',
    ]);
    await client.close();
  });

  test.each([true, false])('streaming, with usage asked for: %s', async (include_usage) => {
    const { url } = await start();
    const openai = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 });
    const stream = await openai.chat.completions.create({
      model: 'recorded-teacher',
      messages: prompt(TASKS[0]?.instruction ?? ''),
      stream: true,
      stream_options: { include_usage },
    });
    let text = '';
    let finish: string | null = null;
    let completionTokens: number | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
    }
    expect([text, finish]).toEqual(['```python\npass\n```', 'length']);
    expect(completionTokens === null).toBe(!include_usage);
  });

  test('the list of models', async () => {
    const { url } = await start();
    const check = await checkEndpoint({
      baseUrl: url,
      model: 'recorded-teacher',
      environment: {},
      field: 'distill.teacher',
    });
    expect(check).toEqual({ models: ['recorded-classifier', 'recorded-teacher'], listsModel: true });
  });

  test('an unknown task is a clear error, and no answer', async () => {
    const { url, stats } = await start();
    const client = createChatClient({ baseUrl: url, model: 'recorded-teacher', timeoutMs: 5000 });
    await expect(client.complete({ messages: prompt('Write a compiler.'), sampling })).rejects.toMatchObject({
      code: 'ENDPOINT_REFUSED',
      retryable: false,
      message: expect.stringMatching(/unknown_task.*Write a compiler.*invents nothing/),
    });
    expect(stats()).toEqual({ requests: 1, byModel: { 'recorded-teacher': { unknown_task: 1 } } });
    await client.close();
  });

  test('nonsense is refused as a client’s error', async () => {
    const { url } = await start();
    const post = (body: string): Promise<Response> =>
      fetch(`${url}/chat/completions`, { method: 'POST', body });
    expect((await post('{')).status).toBe(400);
    expect((await post('{"model":"recorded-teacher"}')).status).toBe(400);
    expect(
      (await post(JSON.stringify({ model: 'recorded-teacher', messages: prompt('x'), n: 2 }))).status,
    ).toBe(400);
    expect((await fetch(`${url}/embeddings`)).status).toBe(404);
    expect((await post(`"${'x'.repeat(5_000_000)}"`)).status).toBe(413);
  });

  test('counts requests by model and outcome, a client that left too', async () => {
    const { url } = await start(100);
    const body = JSON.stringify({ model: 'recorded-classifier', messages: prompt('Sort numbers.') });
    const startedMs = performance.now();
    await fetch(`${url}/chat/completions`, { method: 'POST', body });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(99);
    await expect(
      fetch(`${url}/chat/completions`, { method: 'POST', body, signal: AbortSignal.timeout(30) }),
    ).rejects.toThrow('timeout');
    const stats = async (): Promise<unknown> => (await fetch(new URL('/stats', url))).json();
    await expect
      .poll(stats)
      .toEqual({ requests: 2, byModel: { 'recorded-classifier': { answered: 1, cut_off: 1 } } });
  });
});

describe('records that do not hold are refused at the start, with file and line', () => {
  test.each<[string, string, () => string, RegExp]>([
    ['broken JSON', 'tasks.jsonl', () => `${lines(TASKS)}{"id"\n`, /tasks\.jsonl:3/],
    [
      'a missing field',
      'tasks.jsonl',
      () => lines([{ id: 'x', language: 'c' }]),
      /tasks\.jsonl:1: instruction/,
    ],
    [
      'an id twice',
      'tasks.jsonl',
      () => lines([...TASKS, { ...TASKS[0], instruction: 'Other.' }]),
      /tasks\.jsonl:3: the id a-1/,
    ],
    [
      'a text twice',
      'tasks.jsonl',
      () => lines([...TASKS, { id: 'x', language: 'c', instruction: 'sort  NUMBERS.' }]),
      /tasks\.jsonl:3: x has the same text as a-2/,
    ],
    [
      'a task without a verdict',
      'verdicts.jsonl',
      () => lines(VERDICTS.slice(1)),
      /tasks\.jsonl:1: a-1 has no verdict/,
    ],
    [
      'a verdict twice',
      'verdicts.jsonl',
      () => lines([...VERDICTS, ...VERDICTS]),
      /verdicts\.jsonl:3: a-1 has a verdict already/,
    ],
    [
      'a verdict of no task',
      'verdicts.jsonl',
      () => lines([...VERDICTS, { ...VERDICTS[0], taskId: 'x' }]),
      /verdicts\.jsonl:3: there is no task x/,
    ],
    [
      'a CWE that is none',
      'verdicts.jsonl',
      () => lines([{ ...VERDICTS[0], cwes: ['22'] }]),
      /verdicts\.jsonl:1: cwes\.0/,
    ],
    ['a trace of no task', 'traces/x.md', () => 'text', /x\.md: there is no task x/],
    ['a later sample without the earlier', 'traces/a-1.2.md', () => 'text', /a-1\.1\.md: is missing/],
    ['a sample without the first', 'traces/a-2.1.md', () => 'text', /a-2\.md: is missing/],
    ['a trace with an odd name', 'traces/a-1.b.md', () => 'text', /a-1\.b\.md: the name is neither/],
  ])('%s', async (_, file, content, problem) => {
    await writeFile(join(folder, file), content());
    await expect(start()).rejects.toMatchObject({
      code: 'DATASET_UNREADABLE',
      message: expect.stringMatching(problem),
    });
  });

  test('a missing folder', async () => {
    await expect(
      startRecordedTeacher({ recordsDir: join(folder, 'nowhere'), port: 0 }),
    ).rejects.toMatchObject({ code: 'DATASET_UNREADABLE' });
  });
});

test('a port that is taken is RESOURCES_INSUFFICIENT', async () => {
  const { url } = await start();
  const again = startRecordedTeacher({ recordsDir: folder, port: Number(new URL(url).port) });
  await expect(again).rejects.toMatchObject({
    code: 'RESOURCES_INSUFFICIENT',
    message: expect.stringContaining('EADDRINUSE'),
  });
});
