/**
 * An experiment as a user starts it: four recipes that share filter and distil, one of them twice evaluated, and a fifth
 * that cannot run; then one that is cancelled. Real servers, a tiny model, the recorded teacher.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentSummarySchema, type ExperimentSummary } from '../../src/contract/experimentSummary.ts';
import {
  budgetQueryName,
  experimentResultSchema,
  type BudgetState,
  type ExperimentResult,
} from '../../src/contract/workflows.ts';
import { makeTinyModel, projectDir, quickRecipe, startTestStack, until, type TestStack } from './stack.ts';

const MAX_PAYLOAD_BYTES = 8192;

let stack: TestStack;
let base: Record<string, unknown>;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker([]);
  const recipe = await quickRecipe();
  base = {
    ...recipe,
    filter: { ...recipe['filter'], calibration: undefined },
    distill: { ...recipe['distill'], samples: { n: 1 }, oracles: { tests: 'off', analysers: [] } },
    finetune: {
      ...recipe['finetune'],
      model: { uri: await makeTinyModel(stack.dir), license: 'none' },
      maxSteps: 2,
      checkpointEverySteps: 2,
      guard: null,
    },
    evaluate: {
      ...recipe['evaluate'],
      languages: ['javascript'],
      samplesPerTask: 1,
      batchSamples: 24,
      analysers: [],
      sampling: { temperature: 0.4, maxTokens: 16, seed: 7 },
    },
    provenance: { 'finetune.seed': 'the base: any' },
  };
}, 240_000);
afterAll(async () => await stack?.stop());

const requests = (model: string): number =>
  Object.values(stack.teacher.stats().byModel[model] ?? {}).reduce((sum, count) => sum + count, 0);

async function textAt(uri: string): Promise<string> {
  return (await stack.store.objects.get(stack.store.objects.keyOf(uri) ?? ''))?.bytes.toString() ?? '';
}

/** Bytes of every payload inside. */
function payloadSizes(part: unknown): number[] {
  if (part instanceof Uint8Array) return [part.byteLength];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(payloadSizes) : [];
}

describe('an experiment', () => {
  let result: ExperimentResult;
  let summary: ExperimentSummary;

  it('asks the models of the shared stages once for all its variants', async () => {
    await stack.startByCli('experiment', 'matrix', {
      version: 1,
      name: 'matrix',
      base,
      variants: [
        { name: 'as-it-is' },
        { name: 'seed-8', changes: { finetune: { seed: 8 } } },
        { name: 'patient', changes: { evaluate: { limits: { wallSeconds: 19 } } } },
        { name: 'twice', changes: { evaluate: { samplesPerTask: 2 } } },
        { name: 'no-model', changes: { finetune: { model: { uri: '/no/such/model' } } } },
      ],
      parallel: 5,
      budget: { capUsd: 3 },
    });
    result = experimentResultSchema.parse(await stack.client.workflow.getHandle('matrix').result());
    summary = experimentSummarySchema.parse(JSON.parse(await textAt(result.summary.uri)));
    const rows = (await readFile(join(projectDir, 'records/tasks.jsonl'), 'utf8')).trim().split('\n').length;
    expect(requests('recorded-classifier')).toBe(rows);
    const [traces] = summary.variants[0]?.stages.filter(({ name }) => name === 'distil') ?? [];
    const { usage } = await stack.store.artifacts.readByUri(traces?.artefact ?? '');
    expect(usage.requests).toBeGreaterThan(50);
    expect(requests('recorded-teacher')).toBe(usage.requests);
  }, 420_000);

  it('makes each shared stage in one variant, and pays for it there out of the one purse', async () => {
    const finished = summary.variants.filter(({ error }) => error === null);
    expect(finished.map(({ name }) => name)).toEqual(['as-it-is', 'seed-8', 'patient', 'twice']);
    const of = (stage: string) =>
      finished.flatMap(({ name, stages }) =>
        stages.filter((one) => one.name === stage).map((one) => ({ variant: name, ...one })),
      );
    for (const stage of ['filter', 'distil']) {
      expect(new Set(of(stage).map(({ artefact }) => artefact)).size).toBe(1);
      expect(of(stage).filter(({ reused }) => !reused)).toHaveLength(1);
      expect(of(stage).filter(({ costUsd }) => costUsd > 0)).toHaveLength(1);
    }
    // Two trainings for four variants: those that differ in evaluation are trained as the reference is.
    expect(new Set(of('fine-tune').map(({ artefact }) => artefact)).size).toBe(2);
    expect(of('fine-tune').filter(({ reused }) => !reused)).toHaveLength(2);
    // Of the base model: once for the reference and the other seed, and once for each other evaluation.
    expect(of('evaluate base').filter(({ reused }) => !reused)).toHaveLength(3);
    const { capUsd, spentUsd, grantedUsd } = await stack.client.workflow
      .getHandle('matrix')
      .query<BudgetState>(budgetQueryName);
    expect([capUsd, grantedUsd]).toEqual([3, 0]);
    expect(spentUsd).toBeCloseTo(result.costUsd, 9);
    expect(result.costUsd).toBeGreaterThan(0);
    expect(result.costUsd).toBeCloseTo(
      finished.reduce((sum, { costUsd }) => sum + costUsd, 0),
      9,
    );
  });

  it('tells a variant that failed as a line, and what cannot be compared with its reason', () => {
    const line = (name: string) => summary.variants.find((variant) => variant.name === name);
    expect(line('no-model')?.error).toContain('MODEL_NOT_FOUND');
    expect(line('twice')?.benchmarks[0]).toMatchObject({ difference: null });
    expect(line('twice')?.benchmarks[0]?.notCompared).toContain('2 samples a task, the reference 1');
    const differences = [line('seed-8'), line('patient')].map(
      (variant) => variant?.benchmarks[0]?.difference,
    );
    for (const difference of differences) {
      // The tiny model solves nothing.
      expect(difference).toMatchObject({ value: 0, pValue: 1, adjustedPValue: 1, n: 9 });
    }
    expect(line('as-it-is')?.benchmarks[0]).toMatchObject({ difference: null, notCompared: null, tasks: 9 });
    expect(
      result.variants.map(({ name, error, score }) => [name, error === null, score?.value ?? null]),
    ).toEqual([
      ['as-it-is', true, 0],
      ['seed-8', true, 0],
      ['patient', true, 0],
      ['twice', true, 0],
      ['no-model', false, null],
    ]);
  });

  it('writes one report of all', async () => {
    const [html, markdown] = [await textAt(result.report.uri), await textAt(result.markdown.uri)];
    for (const text of [html, markdown])
      for (const word of ['as-it-is', 'seed-8', 'no-model', 'MODEL', 'Holm', 'matrix/patient', 'wallSeconds'])
        expect(text).toContain(word);
  });

  it('is seen as one line a variant, with short histories and small payloads', async () => {
    const { state, stages } = await stack.progress('matrix');
    expect(state).toBe('failed');
    expect(stages.map(({ name, state: of, done }) => [name, of, done])).toEqual([
      ['as-it-is', 'done', 6],
      ['seed-8', 'done', 6],
      ['patient', 'done', 6],
      ['twice', 'done', 6],
      ['no-model', 'failed', 0],
      ['report', 'done', 3],
    ]);
    for (const id of ['matrix', 'matrix/patient']) {
      const { events } = await stack.client.workflow.getHandle(id).fetchHistory();
      expect(Math.max(...(events ?? []).flatMap(payloadSizes))).toBeLessThan(MAX_PAYLOAD_BYTES);
      expect(events?.length).toBeLessThan(400);
    }
  });

  it('refuses a wrong variant at once, by its name and field', async () => {
    await stack.startByCli('experiment', 'wrong', {
      version: 1,
      name: 'wrong',
      base,
      variants: [{ name: 'a' }, { name: 'b', changes: { finetune: { epochs: 'many' } } }],
    });
    await expect(stack.client.workflow.getHandle('wrong').result()).rejects.toThrow('Workflow execution');
    const shown = await stack.temporal('workflow', 'show', '--workflow-id', 'wrong', '--output', 'json');
    for (const word of ['RECIPE_INVALID', 'variants[1] (b)', 'finetune.epochs', 'many', 'Remedy:'])
      expect(shown).toContain(word);
  });

  it('ends all its variants when it is cancelled, and starts no further one', async () => {
    const filter = base['filter'] as Record<string, Record<string, unknown>>;
    const changes = { filter: { classifier: { ...filter['classifier'], revision: 'of-the-cancelled' } } };
    await stack.startByCli('experiment', 'cancelled', {
      version: 1,
      name: 'cancelled',
      base,
      variants: ['a', 'b', 'c'].map((name) => ({ name, changes })),
      parallel: 2,
    });
    await until('two variants run', async () => {
      const { stages } = await stack.progress('cancelled');
      return (
        stages.filter(({ note }) => note.startsWith('filter') || note.startsWith('evaluate')).length === 2
      );
    });
    await stack.temporal('workflow', 'cancel', '--workflow-id', 'cancelled');
    await expect(stack.client.workflow.getHandle('cancelled').result()).rejects.toThrow('Workflow execution');
    const status = async (id: string) => (await stack.client.workflow.getHandle(id).describe()).status.name;
    for (const id of ['cancelled', 'cancelled/a', 'cancelled/b']) expect(await status(id)).toBe('CANCELLED');
    await expect(status('cancelled/c')).rejects.toThrow('not found');
  }, 120_000);
});
