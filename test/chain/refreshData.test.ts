/** A source that grows, refreshed as a schedule would: only what is new is asked and waits, and only an approval makes it old. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refreshStateSchema, refreshResultSchema, type RefreshResult } from '../../src/contract/workflows.ts';
import { refreshStateKey } from '../../src/services/store/index.ts';
import { makeTinyModel, projectDir, quickRecipe, startTestStack, until, type TestStack } from './stack.ts';

const SERIES = 'weekly tasks';

let stack: TestStack;
let file: string;
let source: readonly string[];
let input: Record<string, unknown>;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker(['control', 'data', 'gpu']);
  source = (await readFile(join(projectDir, 'records/tasks.jsonl'), 'utf8')).trim().split('\n');
  file = join(stack.dir, 'tasks.jsonl');
  await writeFile(file, lines(0, 40));
  const recipe = await quickRecipe();
  const { calibration: _, ...filter } = recipe['filter'] ?? {};
  input = {
    version: 1,
    series: SERIES,
    dataset: { ...recipe['dataset'], uri: file },
    filter,
    distill: {
      ...recipe['distill'],
      samples: { n: 1 },
      oracles: { tests: 'off', analysers: [] },
      holdOutCwes: [],
    },
    budget: { capUsd: 1 },
  };
}, 120_000);
afterAll(async () => await stack?.stop());

const lines = (from: number, to: number): string => `${source.slice(from, to).join('\n')}\n`;
const asked = (): number => stack.teacher.stats().requests;

async function start(id: string, changes: Record<string, unknown> = {}): Promise<void> {
  await stack.startByCli('refreshData', id, { ...input, ...changes });
}

async function resultOf(id: string): Promise<RefreshResult> {
  return refreshResultSchema.parse(await stack.client.workflow.getHandle(id).result());
}

/** The approval's line once it waits. */
async function waiting(id: string): Promise<string> {
  return await until(`${id} waits for approval`, async () => {
    const line = (await stack.progress(id)).stages.find(({ name }) => name === 'approval');
    return line?.state === 'paused' ? line.note : null;
  });
}

async function answer(id: string, decision: unknown): Promise<string> {
  return await stack.temporal(
    'workflow',
    'update',
    'execute',
    '--workflow-id',
    id,
    '--name',
    'approve',
    '--input',
    JSON.stringify(decision),
  );
}

async function approvedRows(): Promise<number[]> {
  const found = await stack.store.objects.get(refreshStateKey(SERIES));
  if (found === null) return [];
  return refreshStateSchema.parse(JSON.parse(found.bytes.toString())).approved.map(({ rows }) => rows);
}

describe('refreshData', () => {
  let first: RefreshResult;

  it('brings everything to traces the first time, and waits for a person', async () => {
    await start('first');
    await expect(answer('first', { approved: true })).rejects.toThrow('nothing to approve yet');
    const note = await waiting('first');
    expect(note).toContain('wait for approval');
    expect(note).toMatch(/CWE-\d+ \d/);
    expect(note).toContain('--workflow-id first --name approve');
    expect(await approvedRows()).toEqual([]);
    await expect(answer('first', { approved: 'yes' })).rejects.toThrow('approved');
    expect(await answer('first', { approved: true, note: 'looked at ten' })).toContain('looked at ten');
    first = await resultOf('first');
    expect(first).toMatchObject({
      state: 'approved',
      rows: 40,
      newRows: 40,
      decision: { approved: true, note: 'looked at ten', by: 'update' },
      model: null,
    });
    expect(first.traceRows).toBeGreaterThan(5);
    expect(first.costUsd).toBeGreaterThan(0);
    expect(await approvedRows()).toEqual([40]);
  }, 120_000);

  it('ends at once where nothing is new, and asks nobody', async () => {
    const before = asked();
    await start('again');
    expect(await resultOf('again')).toMatchObject({
      state: 'nothingNew',
      newRows: 0,
      traces: null,
      costUsd: 0,
    });
    expect(asked()).toBe(before);
  });

  it('takes only what was added; what is refused comes again and is not paid again', async () => {
    await appendFile(file, lines(40, 70));
    const before = asked();
    await start('refused');
    await waiting('refused');
    await answer('refused', { approved: false });
    const refused = await resultOf('refused');
    expect(refused).toMatchObject({ state: 'refused', rows: 70, newRows: 30 });
    const { parts } = await stack.store.artifacts.readByUri(refused.dataset ?? '');
    expect(parts['tasks']?.reduce((sum, { rows }) => sum + rows, 0)).toBe(30);
    const paid = asked() - before;
    expect(paid).toBeGreaterThanOrEqual(30);
    expect(await approvedRows()).toEqual([40]);

    await start('unanswered', { approval: { timeoutHours: 0.0005 } });
    const unanswered = await resultOf('unanswered');
    expect(unanswered).toMatchObject({
      state: 'refused',
      newRows: 30,
      traces: refused.traces,
      decision: { approved: false, by: 'timeout' },
      costUsd: 0,
    });
    expect(asked() - before).toBe(paid);
  }, 120_000);

  it('trains after an approval alone, on the new traces', async () => {
    const uri = await makeTinyModel(stack.dir);
    await start('trained', {
      finetune: {
        model: { uri, license: 'none' },
        maxSteps: 2,
        checkpointEverySteps: 2,
        maxSequenceTokens: 2048,
        guard: null,
        precision: 'fp32',
      },
    });
    await waiting('trained');
    expect(await Array.fromAsync(stack.store.objects.list('trainings/'))).toEqual([]);
    await answer('trained', { approved: true });
    const trained = await resultOf('trained');
    expect(trained.state).toBe('trained');
    const { inputs } = await stack.store.artifacts.readByUri(trained.model ?? '');
    expect(inputs.map((each) => each.uri)).toContain(trained.traces);
    expect(await approvedRows()).toEqual([40, 30]);
    await start('after');
    expect((await resultOf('after')).state).toBe('nothingNew');
  }, 180_000);

  it('is no failure of a schedule where the new rows come to nothing', async () => {
    await appendFile(
      file,
      '{"id":"greeting","task":"Write a Python function that returns the word hello."}\n',
    );
    const classifier = (input['filter'] as Record<string, unknown>)['classifier'];
    await start('nothing', {
      filter: { classifier, mode: 'keepAll' },
      distill: { ...(input['distill'] as object), onlyCwes: ['CWE-89'] },
    });
    expect(await resultOf('nothing')).toMatchObject({ state: 'nothingKept', newRows: 1, traces: null });
    expect((await stack.progress('nothing')).stages.map(({ state }) => state)).toEqual([
      'done',
      'done',
      'done',
      'waiting',
    ]);
  });
});
