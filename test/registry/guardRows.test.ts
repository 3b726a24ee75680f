/** Guard rows: those that are shipped, and those that a recipe names. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encode } from 'gpt-tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/settings.ts';
import { temporaryFolder } from '../../src/cli/testing/cli.ts';
import { localGuardRows, type GuardRowsOptions } from '../../src/services/train/guardRows.ts';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';

let server: TestServer;
let store: Store;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let options: GuardRowsOptions;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  folder = await temporaryFolder();
  options = { store, baseDir: folder.path, cacheDir: join(folder.path, 'cache') };
});
afterAll(async () => {
  await server?.stop();
  await folder?.[Symbol.asyncDispose]();
});

interface Row {
  readonly id: string;
  readonly prompt: string;
  readonly answer: string;
}

async function shipped(): Promise<Row[]> {
  const text = await readFile(join(projectRoot, 'records/guard/rows.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

describe('the shipped rows', () => {
  it('are 60 short answers to questions that differ', async () => {
    const rows = await shipped();
    expect(rows).toHaveLength(60);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(60);
    expect(new Set(rows.map(({ prompt }) => prompt)).size).toBe(60);
    const lengths = rows.map(({ answer }) => encode(answer).length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(150);
  });

  it('have nothing to do with security', async () => {
    const told = (await shipped())
      .map(({ prompt, answer }) => `${prompt} ${answer}`)
      .filter((text) =>
        /secur|vulnerab|attack|inject|sanitiz|sanitis|escap|password|token|encrypt|malicious|CWE|exploit|untrusted/iu.test(
          text,
        ),
      );
    expect(told).toEqual([]);
  });

  it('hold Python and JSON that parse', async () => {
    const blocks = (await shipped()).flatMap(({ answer }) => [
      ...answer.matchAll(/```(python|json)\n(.*?)```/gsu),
    ]);
    const python = blocks.filter(([, language]) => language === 'python').map(([, , code = '']) => code);
    for (const [, language, code = ''] of blocks) if (language === 'json') JSON.parse(code);
    expect(python.length).toBeGreaterThan(15);
    const parse = 'import ast, json, sys\nfor code in json.loads(sys.argv[1]): ast.parse(code)';
    await promisify(execFile)(process.env['SECPI_PYTHON'] ?? 'python3', [
      '-c',
      parse,
      JSON.stringify(python),
    ]);
  });

  it('become a file in the shape that the trainer reads', async () => {
    const guard = await localGuardRows({ rows: 'embedded' }, options);
    const again = await localGuardRows({ rows: 'embedded' }, options);
    expect(guard).toEqual(again);
    expect(guard?.rows).toBe(60);
    const [first = ''] = (await readFile(guard?.file ?? '', 'utf8')).split('\n');
    const [{ id, prompt, answer } = { id: '', prompt: '', answer: '' }] = await shipped();
    expect(JSON.parse(first)).toEqual({ id, prompt: [{ role: 'user', content: prompt }], answer });
  });
});

describe('rows of a recipe', () => {
  const good = [
    { id: 'a', prompt: 'Add 1 and 2.', answer: '3' },
    { id: 'b', prompt: [{ role: 'user', content: 'Hi' }], reasoning: 'A greeting.', answer: 'Hello.' },
  ];
  const lines = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

  it('come from a path or from the store, with the same hash', async () => {
    await writeFile(join(folder.path, 'mine.jsonl'), `${lines(good)}\n\n`);
    await store.objects.putIfAbsent('mine.jsonl', Buffer.from(lines(good)));
    const local = await localGuardRows({ rows: 'mine.jsonl' }, options);
    const stored = await localGuardRows({ rows: store.objects.uriOf('mine.jsonl') }, options);
    expect(local).toEqual(stored);
    expect(
      (await readFile(local?.file ?? '', 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([{ id: 'a', prompt: [{ role: 'user', content: 'Add 1 and 2.' }], answer: '3' }, good[1]]);
  });

  it('are none where the recipe wants none', async () => {
    expect(await localGuardRows(null, options)).toBeNull();
  });

  it.each([
    ['no JSON', '{"id": "a"', /DATASET_UNREADABLE: finetune\.guard\.rows: line 1 of .*is not JSON/],
    ['no answer', lines([good[0], { id: 'b', prompt: 'x' }]), /line 2 of .*answer: /],
    ['an empty prompt', lines([{ ...good[0], prompt: [] }]), /line 1 of .*prompt/],
    ['an unknown field', lines([{ ...good[0], weight: 2 }]), /line 1 of .*weight/],
    ['an id twice', lines([good[0], good[0]]), /line 2 of .*"a" occurs twice/],
    ['no rows', '\n', /DATASET_EMPTY: finetune\.guard\.rows/],
  ])('with %s are refused with the line', async (_, text, why) => {
    await writeFile(join(folder.path, 'bad.jsonl'), text);
    await expect(localGuardRows({ rows: 'bad.jsonl' }, options)).rejects.toThrow(why);
  });

  it.each(['absent.jsonl', 's3://test-1/absent.jsonl'])('that are not there (%s) are told', async (rows) => {
    await expect(localGuardRows({ rows }, options)).rejects.toThrow(
      /DATASET_NOT_FOUND: finetune\.guard\.rows.*absent\.jsonl/,
    );
  });
});
