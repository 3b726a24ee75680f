/** Filter and distil as a user runs them: the plain Temporal CLI, real servers, a killed worker, nothing paid twice. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageResult, WorkflowType } from '../../src/contract/workflows.ts';
import { startScriptedServer } from '../llm/scriptedServer.ts';
import {
  isAlive,
  projectDir,
  quickRecipe,
  startTestStack,
  until,
  type TestStack,
  type WorkerProcess,
} from './stack.ts';

let stack: TestStack;
let dataWorker: WorkerProcess;
const TEACHER_LATENCY_MS = 120;

beforeAll(async () => {
  stack = await startTestStack({ teacherLatencyMs: TEACHER_LATENCY_MS });
  await stack.startWorker(['control']);
  dataWorker = await stack.startWorker(['data']);
});
afterAll(async () => await stack?.stop());

async function runByCli(type: WorkflowType, id: string, input: unknown): Promise<StageResult> {
  await stack.startByCli(type, id, input);
  return (await stack.client.workflow.getHandle(id).result()) as StageResult;
}

async function failureByCli(type: WorkflowType, id: string, input: unknown): Promise<string> {
  await stack.startByCli(type, id, input);
  await expect(stack.client.workflow.getHandle(id).result()).rejects.toThrow('Workflow execution');
  return await stack.temporal('workflow', 'show', '--workflow-id', id, '--output', 'json');
}

const requests = (model: string): number =>
  Object.values(stack.teacher.stats().byModel[model] ?? {}).reduce((sum, count) => sum + count, 0);

describe('filterDataset', () => {
  it('keeps the recorded tasks that carry weaknesses, and a second run asks nobody', async () => {
    const { dataset, filter } = await quickRecipe();
    const input = { version: 1, dataset, filter };
    const first = await runByCli('filterDataset', 'filter-1', input);
    const verdicts = (await readFile(join(projectDir, 'records/verdicts.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { relevant: boolean });
    expect(first.counts).toEqual({
      in: verdicts.length,
      kept: verdicts.filter(({ relevant }) => relevant).length,
      dropped: verdicts.filter(({ relevant }) => !relevant).length,
      duplicates: 0,
      nearDuplicates: 0,
      contaminated: 0,
      bad: 0,
      unknownCwes: 0,
    });
    expect(first.reused).toBe(false);
    // The labelled rows of the calibration are recorded tasks: the stage found their answers in the ledger.
    expect(requests('recorded-classifier')).toBe(verdicts.length);

    const second = await runByCli('filterDataset', 'filter-2', input);
    expect(second.reused).toBe(true);
    expect(second.artifact).toEqual(first.artifact);
    expect(requests('recorded-classifier')).toBe(verdicts.length);
  });

  it('takes a dataset not written here, from an endpoint whose answers nobody here knows', async (context) => {
    const file = join(
      process.env['SECPI_TEST_DATA'] ?? join(projectDir, '../shared/data'),
      'codealpaca-4535.json',
    );
    if (!existsSync(file)) {
      console.log(`skipped: ${file} is not there (set SECPI_TEST_DATA)`);
      context.skip();
    }
    const salt = Math.random();
    const asked = new Set<string>();
    const server = await startScriptedServer(({ prompt: task }) => {
      asked.add(task);
      const relevant = (task.length + Math.floor(salt * 1000)) % 3 === 0;
      return {
        kind: 'answer',
        text: JSON.stringify({ relevant, cwes: relevant ? ['CWE-20'] : [], reason: `by length and ${salt}` }),
      };
    });
    try {
      const classifier = {
        baseUrl: server.url,
        model: 'unknown-to-the-product',
        concurrency: 32,
        priceUsdPerMillionTokens: { prompt: 1, completion: 2 },
      };
      const result = await runByCli('filterDataset', 'codealpaca', {
        version: 1,
        dataset: { uri: file, name: 'codealpaca' },
        filter: { classifier, shardRows: 500 },
      });
      const {
        in: total,
        kept,
        dropped,
        duplicates,
        bad,
      } = result.counts as Record<'in' | 'kept' | 'dropped' | 'duplicates' | 'bad', number>;
      expect(total).toBe(4535);
      const { nearDuplicates = 0, contaminated = 0 } = result.counts;
      expect(total).toBe(kept + dropped + duplicates + nearDuplicates + contaminated + bad);
      expect(nearDuplicates).toBeGreaterThan(0);
      expect(bad).toBe(0);
      expect(kept + dropped).toBe(asked.size);
      expect(kept).toBeGreaterThan(500);
      expect(result.usage.requests).toBe(kept + dropped);
      expect(result.usage.costUsd).toBeCloseTo(
        (result.usage.promptTokens + 2 * result.usage.completionTokens) / 1e6,
        9,
      );
    } finally {
      await server.close();
    }
  });

  it.each([
    ['a wrong type', { dataset: { uri: 5 } }, ['RECIPE_INVALID', 'dataset.uri']],
    [
      'an unknown field',
      { dataset: { uri: 'records/tasks.jsonl', split: 'train' } },
      ['RECIPE_INVALID', 'dataset.split'],
    ],
    [
      'a dataset that is missing',
      { dataset: { uri: 'no-such.jsonl' } },
      ['DATASET_NOT_FOUND', 'dataset.uri', 'no-such.jsonl'],
    ],
    [
      'a pasted key',
      {
        filter: {
          classifier: {
            baseUrl: 'http://127.0.0.1:1/v1',
            model: 'm',
            apiKeyEnv: 'sk-aaaaaaaaaaaaaaaaaaaaaaaa',
          },
        },
      },
      ['SECRET_IN_INPUT', 'apiKeyEnv', 'rotate'],
    ],
    [
      'a key variable that is not set',
      {
        filter: {
          classifier: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm', apiKeyEnv: 'NO_SUCH_VARIABLE' },
        },
      },
      ['API_KEY_MISSING', 'filter.classifier.apiKeyEnv', 'NO_SUCH_VARIABLE'],
    ],
    [
      'an endpoint that nobody serves',
      { filter: { classifier: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' } } },
      ['ENDPOINT_UNREACHABLE', 'filter.classifier.baseUrl', '127.0.0.1:1'],
    ],
    [
      'a model that is not served',
      { filter: { classifier: { baseUrlEnv: 'SECPI_TEACHER_URL', model: 'gpt-9' } } },
      ['ENDPOINT_REFUSED', 'filter.classifier', 'gpt-9'],
    ],
  ])('refuses %s, and the CLI shows code, field and remedy', async (name, change, words) => {
    const { dataset, filter } = await quickRecipe();
    const shown = await failureByCli('filterDataset', `bad-${name.replaceAll(' ', '-')}`, {
      version: 1,
      dataset,
      filter,
      ...change,
    });
    for (const word of [...words, 'Remedy:']) expect(shown).toContain(word);
  });

  it.each([
    ['empty', '', 'DATASET_EMPTY'],
    ['without tasks', '{"output":"x"}\n{"output":"y"}\n', 'DATASET_EMPTY'],
    ['binary', '\u0000\u0001\u0002\n', 'DATASET_UNREADABLE'],
  ])('refuses a dataset that is %s, and publishes nothing', async (name, content, code) => {
    const file = join(stack.dir, `${name.replace(' ', '-')}.jsonl`);
    await writeFile(file, content);
    const { filter } = await quickRecipe();
    const shown = await failureByCli('filterDataset', `dataset-${name.replace(' ', '-')}`, {
      version: 1,
      dataset: { uri: file },
      filter,
    });
    expect(shown).toContain(code);
    const heads = await Array.fromAsync(stack.store.objects.list('artifacts/dataset/'));
    const bodies = await Promise.all(
      heads
        .filter(({ key }) => key.endsWith('head.json'))
        .map(async ({ key }) => (await stack.store.objects.get(key))?.bytes.toString() ?? ''),
    );
    expect(
      bodies.filter(
        (body) => body.includes('"state":"published"') && body.includes(`dataset-${name.replace(' ', '-')}`),
      ),
    ).toEqual([]);
  });
});

describe('distillTraces', () => {
  it('goes on where a killed worker stopped: nothing lost, nothing doubled, the same content', async () => {
    const { dataset, filter, distill } = await quickRecipe();
    const filtered = await runByCli('filterDataset', 'filter-for-distil', { version: 1, dataset, filter });
    const teacher = distill?.['teacher'] as Record<string, unknown>;
    const CONCURRENCY = 4;
    const settings = (revision: string) => ({
      ...distill,
      parallelShards: 1,
      shardRows: 32,
      samples: { n: 1 },
      oracles: { tests: 'off' },
      holdOutCwes: [],
      teacher: { ...teacher, concurrency: CONCURRENCY, revision },
    });
    const whole = await runByCli('distillTraces', 'distil-whole', {
      version: 1,
      filtered: filtered.artifact.uri,
      distill: settings('undisturbed'),
    });
    const paidBefore = requests('recorded-teacher');
    expect(paidBefore).toBe(filtered.artifact.rows);

    // The same work under another revision shares no answers with it.
    const input = { version: 1, filtered: filtered.artifact.uri, distill: settings('killed') };
    await stack.startByCli('distillTraces', 'distil-killed', input);
    const HALF_A_SHARD = 16;
    await until(
      'half a shard is paid',
      async () => requests('recorded-teacher') - paidBefore >= HALF_A_SHARD,
    );
    await dataWorker.kill();
    expect(isAlive(dataWorker.pid)).toBe(false);
    const paidAtKill = requests('recorded-teacher') - paidBefore;
    const shards = await stack.store.artifacts.listShards(
      'traces',
      await openFingerprint('traces', 'distil-killed'),
    );
    expect(shards).toEqual([]); // it died within a shard, not between two
    expect(paidAtKill).toBeLessThan(32);

    dataWorker = await stack.startWorker(['data']);
    const resumed = (await stack.client.workflow.getHandle('distil-killed').result()) as StageResult;
    const paid = requests('recorded-teacher') - paidBefore;
    expect(resumed.artifact.contentSha256).toBe(whole.artifact.contentSha256);
    expect(resumed.counts).toEqual(whole.counts);
    expect(paid - filtered.artifact.rows).toBeGreaterThanOrEqual(0);
    expect(paid - filtered.artifact.rows).toBeLessThanOrEqual(CONCURRENCY);
    // What the dead process had paid was found again, by request key.
    expect(resumed.usage.ledgerHits).toBeGreaterThanOrEqual(paidAtKill - CONCURRENCY);
    const { events } = await stack.client.workflow.getHandle('distil-killed').fetchHistory();
    const attempts = (events ?? []).map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0);
    expect(Math.max(...attempts)).toBe(2);
  });

  it('a run that asks for what another one makes waits for it and takes its result', async () => {
    const { dataset, filter, distill } = await quickRecipe();
    const filtered = await runByCli('filterDataset', 'filter-for-two', { version: 1, dataset, filter });
    const teacher = distill?.['teacher'] as Record<string, unknown>;
    const input = {
      version: 1,
      filtered: filtered.artifact.uri,
      distill: {
        ...distill,
        samples: { n: 1 },
        holdOutCwes: [],
        oracles: { tests: 'off' },
        teacher: { ...teacher, revision: 'two-runs' },
      },
    };
    const before = requests('recorded-teacher');
    const results = await Promise.all([
      runByCli('distillTraces', 'two-a', input),
      runByCli('distillTraces', 'two-b', input),
    ]);
    expect(requests('recorded-teacher') - before).toBe(filtered.artifact.rows);
    expect(new Set(results.map(({ artifact }) => artifact.uri)).size).toBe(1);
    expect(results.map(({ reused }) => reused).sort()).toEqual([false, true]);
  });
});

async function openFingerprint(kind: 'traces', workflowId: string): Promise<string> {
  for await (const { key } of stack.store.objects.list(`artifacts/${kind}/`)) {
    const body = key.endsWith('/head.json')
      ? (await stack.store.objects.get(key))?.bytes.toString()
      : undefined;
    if (body?.includes(`"${workflowId}"`) === true) return key.split('/')[2] ?? '';
  }
  throw new Error(`${workflowId} holds no ${kind}`);
}
