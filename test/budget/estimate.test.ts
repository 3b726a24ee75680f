/** The estimate against what the run then pays, on the embedded records and a whole stack. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  estimateSchema,
  stageResultSchema,
  type Estimate,
  type StageResult,
} from '../../src/contract/workflows.ts';
import { projectDir, quickRecipe, startTestStack, type TestStack } from '../chain/stack.ts';

const PRICE = { prompt: 1, completion: 5 };

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker(['control', 'data', 'sandbox']);
});
afterAll(async () => await stack.stop());

async function execute(type: string, workflowId: string, input: unknown): Promise<unknown> {
  const args: [unknown] = [input];
  return await stack.client.workflow.execute(type, { taskQueue: 'secpi', workflowId, args });
}

/** The quick recipe's own data stages, at a price. */
async function priced(): Promise<{ dataset: object; filter: object; distill: object }> {
  const { dataset, filter, distill } = await quickRecipe();
  return {
    dataset: { ...dataset, uri: `${projectDir}/records/tasks.jsonl` },
    filter: {
      ...filter,
      classifier: { ...(filter?.['classifier'] as object), priceUsdPerMillionTokens: PRICE },
    },
    distill: {
      ...distill,
      teacher: { ...(distill?.['teacher'] as object), priceUsdPerMillionTokens: PRICE },
    },
  };
}

async function estimate(id: string, sample: { classifier: number; teacher: number }): Promise<Estimate> {
  return estimateSchema.parse(await execute('estimateCost', id, { version: 1, ...(await priced()), sample }));
}

async function runStages(id: string): Promise<{ filter: StageResult; distil: StageResult }> {
  const { dataset, filter, distill } = await priced();
  const filtered = stageResultSchema.parse(
    await execute('filterDataset', `${id}-filter`, { version: 1, dataset, filter }),
  );
  const distil = await execute('distillTraces', `${id}-distil`, {
    version: 1,
    filtered: filtered.artifact.uri,
    distill,
  });
  return { filter: filtered, distil: stageResultSchema.parse(distil) };
}

test('an estimate comes within a tenth of what the run pays, and pays nothing twice', async () => {
  const before = await estimate('nothing-asked', { classifier: 0, teacher: 0 });
  expect(before.paidUsd).toBe(0);

  const sampled = await estimate('default-sample', { classifier: 200, teacher: 40 });
  const [classifier, teacher] = sampled.stages;
  expect(classifier).toMatchObject({ known: 0, requests: 0, sampled: classifier?.rows });
  expect(teacher).toMatchObject({ known: 0, sampled: 40 });

  const { filter, distil } = await runStages('run');
  const actualUsd = filter.usage.costUsd + distil.usage.costUsd;
  expect(actualUsd).toBeGreaterThan(0);
  expect(Math.abs(sampled.costUsd / actualUsd - 1)).toBeLessThan(0.1);
  const inAllUsd = actualUsd + sampled.paidUsd;
  expect(Math.abs((sampled.costUsd + sampled.paidUsd) / inAllUsd - 1)).toBeLessThan(0.1);
  const worstUsd = before.stages.reduce((sum, stage) => sum + stage.worstUsd, 0);
  expect(worstUsd).toBeGreaterThan(inAllUsd);
  // What was asked to find out is in the ledger: the stages sent requests for the rest alone.
  expect(filter.usage).toMatchObject({ requests: 0, costUsd: 0 });
  expect(distil.usage.ledgerHits).toBeGreaterThanOrEqual(40);

  const after = await estimate('all-known', { classifier: 200, teacher: 40 });
  expect(after).toMatchObject({ costUsd: 0, highUsd: 0, paidUsd: 0 });
  expect(after.stages.map(({ rows, known }) => rows - known)).toEqual([0, 0]);
});

test('the command prints the table, or JSON alone', async () => {
  const recipe = join(stack.dir, 'recipe.json');
  await writeFile(recipe, JSON.stringify({ ...(await quickRecipe()), ...(await priced()) }));
  const secpi = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(projectDir, 'src/cli/main.ts'), 'estimate', recipe, ...args],
      { env: stack.env, cwd: projectDir },
    );
    return stdout;
  };
  const json = await secpi('--sample-classifier', '0', '--sample-teacher', '0', '--json');
  const parsed = estimateSchema.parse(JSON.parse(json));
  expect(parsed.stages.map(({ stage }) => stage)).toEqual(['filter', 'distil']);
  const table = await secpi('--sample-classifier', '20', '--sample-teacher', '5');
  expect(table).toMatch(/^filter +recorded-classifier +\d+/m);
  expect(table).toMatch(/The run will pay about \$/);
});
