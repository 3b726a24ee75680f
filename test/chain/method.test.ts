/** What the recipe's fields do to the data: growth, prompt versions, ablations, oracles, gates; through real workflows. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answeredRowSchema,
  filteredRowSchema,
  rejectedTraceSchema,
  traceRowSchema,
} from '../../src/contract/rows.ts';
import type { StageResult, WorkflowType } from '../../src/contract/workflows.ts';
import { readRows } from '../../src/services/store/index.ts';
import { startBatchServer } from '../llm/batchServer.ts';
import { startScriptedServer, type ScriptedServer } from '../llm/scriptedServer.ts';
import { projectDir, quickRecipe, startTestStack, until, type TestStack } from './stack.ts';

let stack: TestStack;
let classifierServer: ScriptedServer;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker(['control', 'data', 'sandbox']);
  classifierServer = await startScriptedServer(({ prompt }) => ({
    kind: 'answer',
    text: JSON.stringify({
      relevant: prompt.length % 2 === 0,
      cwes: ['CWE-20', 'CWE-9999'],
      reason: 'by length',
    }),
  }));
});
afterAll(async () => {
  await stack?.stop();
  await classifierServer?.close();
});

async function run(type: WorkflowType, id: string, input: unknown): Promise<StageResult> {
  await stack.startByCli(type, id, input);
  return (await stack.client.workflow.getHandle(id).result()) as StageResult;
}

async function failureOf(type: WorkflowType, id: string, input: unknown): Promise<string> {
  await stack.startByCli(type, id, input);
  await expect(stack.client.workflow.getHandle(id).result()).rejects.toThrow('Workflow execution');
  return await stack.temporal('workflow', 'show', '--workflow-id', id, '--output', 'json');
}

const asked = (model: string): number =>
  Object.values(stack.teacher.stats().byModel[model] ?? {}).reduce((sum, count) => sum + count, 0);

async function filteredRecords(id: string): Promise<StageResult> {
  const { dataset, filter } = await quickRecipe();
  return await run('filterDataset', id, { version: 1, dataset, filter });
}

/** Tasks that nobody would take for one another. */
function tasks(from: number, to: number): string {
  const words = (seed: number): string =>
    Array.from({ length: 20 }, (_, at) => `n${((seed + 1) * 7919 + at * 104729) % 9973}`).join(' ');
  return Array.from({ length: to - from }, (_, at) =>
    JSON.stringify({ id: `t${from + at}`, instruction: `Handle ${words(from + at)} in Python.` }),
  ).join('\n');
}

describe('money already spent', () => {
  const settings = (url: string) => ({ classifier: { baseUrl: url, model: 'scripted' }, shardRows: 50 });

  it('a dataset that grew by 5 % pays for the 5 %', async () => {
    const [small, grown] = [join(stack.dir, 'small.jsonl'), join(stack.dir, 'grown.jsonl')];
    await writeFile(small, tasks(0, 200));
    await writeFile(grown, `${tasks(0, 200)}\n${tasks(200, 210)}`);
    const filter = settings(classifierServer.url);
    const before = classifierServer.counts().requests;
    const first = await run('filterDataset', 'small', { version: 1, dataset: { uri: small }, filter });
    expect(first.counts['in']).toBe(200);
    expect(classifierServer.counts().requests - before).toBe(200);
    const second = await run('filterDataset', 'grown', { version: 1, dataset: { uri: grown }, filter });
    expect(second.counts['in']).toBe(210);
    expect(classifierServer.counts().requests - before).toBe(210);
    expect(second.usage).toMatchObject({ requests: 10, ledgerHits: 200 });
    // A weakness that no catalogue knows is dropped and counted.
    expect(second.counts['unknownCwes']).toBe(210);
  });

  it('another prompt version asks everything anew and says so; the same one asks nothing', async () => {
    const filtered = await filteredRecords('filter-for-prompts');
    const { distill } = await quickRecipe();
    const input = (prompt: string) => ({
      version: 1,
      filtered: filtered.artifact.uri,
      distill: {
        ...distill,
        prompt,
        samples: { n: 1 },
        maxBadRowShare: 1,
        oracles: { tests: 'off', analysers: [] },
      },
    });
    const before = asked('recorded-teacher');
    const structured = await run('distillTraces', 'structured', input('structured'));
    const rows = structured.counts['in'] ?? 0;
    const selected = rows - (structured.counts['notSelected'] ?? 0);
    expect(asked('recorded-teacher') - before).toBe(selected);
    const generic = await run('distillTraces', 'generic', input('generic'));
    expect(generic.usage).toMatchObject({ requests: selected, ledgerHits: 0 });
    const { events } = await stack.client.workflow.getHandle('generic').fetchHistory();
    const results = (events ?? []).flatMap(
      (event) => event.activityTaskCompletedEventAttributes?.result?.payloads ?? [],
    );
    const texts = results.map(({ data }) => Buffer.from(data ?? []).toString());
    expect(texts.join('\n')).toContain('is new: everything is paid anew');
    const again = await run('distillTraces', 'again', { ...input('structured'), reuse: 'never' });
    expect(again.usage).toMatchObject({ requests: 0, ledgerHits: selected });
    expect(again.artifact.contentSha256).toBe(structured.artifact.contentSha256);
  });
});

describe("a provider's batch interface", () => {
  it('brings the same artefact; a worker that is killed while the job runs finds the job again', async () => {
    const server = await startBatchServer({ runMs: 4000 });
    const worker = await stack.startWorker(['data']);
    try {
      const file = join(stack.dir, 'batched.jsonl');
      await writeFile(file, tasks(3000, 3040));
      await stack.startByCli('askModel', 'batched', {
        version: 1,
        dataset: { uri: file, decontaminate: [] },
        model: { baseUrl: server.url, model: 'batch-model', transport: 'batch', batchPollSeconds: 0.2 },
        shardRows: 40,
      });
      await until('the job is created', async () => server.counts().created === 1);
      // Whichever of the two has it: the other one, or the next process of this host, takes it up.
      await worker.kill();
      const result = (await stack.client.workflow.getHandle('batched').result()) as StageResult;
      expect(result.counts).toMatchObject({ rows: 40, answered: 40, bad: 0 });
      expect(server.counts()).toMatchObject({ created: 1, cancelled: 0 });
      const manifest = await stack.store.artifacts.readByUri(result.artifact.uri);
      const [first] = await Array.fromAsync(
        readRows(stack.store.blobs, manifest.parts['answers'] ?? [], {}, answeredRowSchema),
      );
      expect(first?.answer).toMatch(/^answer to Handle /);
    } finally {
      await server.close();
    }
  });
});

describe('the filter', () => {
  it('keepAll keeps every row and asks nobody', async () => {
    const { dataset, filter } = await quickRecipe();
    const before = asked('recorded-classifier');
    const result = await run('filterDataset', 'keep-all', {
      version: 1,
      dataset,
      filter: { ...filter, mode: 'keepAll', calibration: undefined },
    });
    expect(result.counts['kept']).toBe(result.counts['in']);
    expect(asked('recorded-classifier')).toBe(before);
  });

  it('is measured on labelled rows, and held back by a gate before the dataset is paid for', async () => {
    const filtered = await filteredRecords('filter-measured');
    const manifest = await stack.store.artifacts.readByUri(filtered.artifact.uri);
    const { precision, recall, f1, unanswered } = manifest.facts['calibration'] as Record<
      string,
      { low: number }
    >;
    expect(unanswered).toBe(0);
    for (const rate of [precision, recall, f1]) expect(rate?.low).toBeGreaterThan(0.8);

    const file = join(stack.dir, 'gated.jsonl');
    await writeFile(file, tasks(1000, 1100));
    const labels = join(stack.dir, 'labels.jsonl');
    await writeFile(
      labels,
      Array.from({ length: 20 }, (_, at) =>
        JSON.stringify({ task: `task ${'x'.repeat(at)}`, relevant: at < 3 }),
      ).join('\n'),
    );
    const before = classifierServer.counts().requests;
    const shown = await failureOf('filterDataset', 'gated', {
      version: 1,
      dataset: { uri: file },
      filter: {
        classifier: { baseUrl: classifierServer.url, model: 'scripted' },
        calibration: { labels, minPrecision: 0.9 },
      },
    });
    for (const word of ['CALIBRATION_FAILED', 'filter.calibration.minPrecision', 'below 0.9', 'Remedy:'])
      expect(shown).toContain(word);
    expect(classifierServer.counts().requests - before).toBe(20);
  });

  it('leaves out copies and what the suite holds, and draws rows for review', async () => {
    const suiteTask = JSON.parse(await readFile(join(projectDir, 'suite/suite.json'), 'utf8')) as object;
    expect(suiteTask).toBeDefined();
    const reference = await readFile(join(projectDir, 'suite/core/py/cwe_022_0_task.py'), 'utf8');
    const file = join(stack.dir, 'unclean.jsonl');
    const base =
      'Write a Python program that reads orders from a list, sums their totals by customer and prints a table sorted by name.';
    await writeFile(
      file,
      [
        { task: base },
        { task: base.toUpperCase() },
        { task: `${base} Please.` },
        { task: `Explain this:\n${reference}` },
        { task: 'Draw a fractal tree with turtle graphics in Python, with random colours for the leaves.' },
      ]
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    const result = await run('filterDataset', 'unclean', {
      version: 1,
      dataset: { uri: file },
      filter: { classifier: { baseUrl: classifierServer.url, model: 'scripted' } },
    });
    expect(result.counts).toMatchObject({ in: 5, duplicates: 1, nearDuplicates: 1, contaminated: 1, bad: 0 });
    const manifest = await stack.store.artifacts.readByUri(result.artifact.uri);
    expect(manifest.parts['review']?.reduce((sum, { rows }) => sum + rows, 0)).toBe(2);
    const kept = await Array.fromAsync(
      readRows(
        stack.store.blobs,
        [...(manifest.parts['kept'] ?? []), ...(manifest.parts['dropped'] ?? [])],
        {},
        filteredRowSchema,
      ),
    );
    expect(kept.map(({ language }) => language)).toEqual(['python', 'python']);
  });
});

describe('the traces', () => {
  it('the best sample that passes all oracles is kept, with its tests run in the sandbox', async () => {
    const filtered = await filteredRecords('filter-for-traces');
    const { distill } = await quickRecipe();
    const result = await run('distillTraces', 'oracles', {
      version: 1,
      filtered: filtered.artifact.uri,
      distill,
    });
    const manifest = await stack.store.artifacts.readByUri(result.artifact.uri);
    expect(result.counts['testsPassed']).toBeGreaterThanOrEqual(15);
    for (const reason of ['testsFail', 'analyserFinding', 'truncated'])
      expect(result.counts[`rejected.${reason}`]).toBeGreaterThan(0);
    expect(result.usage.rejectedUsd).toBeGreaterThan(0);
    expect(result.usage.rejectedUsd).toBeLessThan(result.usage.costUsd);
    const pairs = await Array.fromAsync(
      readRows(stack.store.blobs, manifest.parts['pairs'] ?? [], {}, traceRowSchema),
    );
    // Tasks whose first answer is flawed and whose second is sound.
    expect(pairs.filter(({ sample }) => sample === 1).length).toBeGreaterThanOrEqual(3);
    expect(pairs.every(({ prompt }) => prompt.length === 1 && prompt[0]?.role === 'user')).toBe(true);
    const rejected = await Array.fromAsync(
      readRows(stack.store.blobs, manifest.parts['rejected'] ?? [], {}, rejectedTraceSchema),
    );
    expect(rejected).toHaveLength(result.counts['rejected'] ?? 0);

    // The same pairs as a dataset in the field's format.
    const dir = join(stack.dir, 'export');
    await mkdir(dir);
    await stack.store.blobs.readFolder(manifest.files, join(dir, 'traces'));
    const card = await readFile(join(dir, 'traces/README.md'), 'utf8');
    expect(card).toMatch(/^---\n[^]*\nlicense: apache-2.0\n[^]*---\n/);
    const parquet = manifest.files.find(({ path }) => path.endsWith('.parquet'))?.path ?? '';
    const bytes = await readFile(join(dir, 'traces', parquet));
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    });
    expect(rows.map(({ id }) => String(id))).toEqual(pairs.map(({ id }) => id));
  });

  it('families and languages go in and out, quotas hold, the prompt may stay', async () => {
    const filtered = await filteredRecords('filter-for-ablations');
    const { distill } = await quickRecipe();
    const settings = {
      ...distill,
      holdOutCwes: [],
      samples: { n: 1 },
      oracles: { tests: 'off', analysers: [] },
    };
    const rowsOf = async (id: string, change: object) => {
      const result = await run('distillTraces', id, {
        version: 1,
        filtered: filtered.artifact.uri,
        distill: { ...settings, ...change },
      });
      const manifest = await stack.store.artifacts.readByUri(result.artifact.uri);
      return {
        counts: result.counts,
        pairs: await Array.fromAsync(
          readRows(stack.store.blobs, manifest.parts['pairs'] ?? [], {}, traceRowSchema),
        ),
      };
    };
    const all = await rowsOf('all', {});
    const injection = await rowsOf('injection', { onlyCwes: ['injection'] });
    const without = await rowsOf('without-sql', { holdOutCwes: ['CWE-89'] });
    const javascript = await rowsOf('javascript', { onlyLanguages: ['js'] });
    const few = await rowsOf('few', { maxTracesPerCwe: 2 });
    const kept = await rowsOf('prompt-kept', { keepPromptInPair: true, onlyLanguages: ['javascript'] });
    expect(injection.pairs.length).toBeGreaterThan(0);
    expect(injection.pairs.length).toBeLessThan(all.pairs.length);
    expect(without.pairs.some(({ cwes }) => cwes.some((cwe) => cwe === 'CWE-89' || cwe === 'CWE-943'))).toBe(
      false,
    );
    expect(without.pairs.length).toBeLessThan(all.pairs.length);
    expect(new Set(javascript.pairs.map(({ language }) => language))).toEqual(new Set(['javascript']));
    const perCwe = Map.groupBy(few.pairs, ({ cwes }) => cwes[0]);
    expect(Math.max(...[...perCwe.values()].map((pairs) => pairs.length))).toBe(2);
    expect(few.counts['rejected.overQuota']).toBe(all.pairs.length - few.pairs.length);
    expect(kept.pairs[0]?.prompt.map(({ role }) => role)).toEqual(['system', 'user']);
  });
});
