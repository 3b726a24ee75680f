/** `secpi runs`, `report` and `compare` over a real cluster, about evaluations whose every answer is known. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareHost } from '../../src/activities/sandboxHost.ts';
import { runCli } from '../../src/cli/testing/cli.ts';
import { evaluateSchema } from '../../src/contract/recipe.ts';
import { summarySchema } from '../../src/contract/summary.ts';
import { readWorkerConfig } from '../../src/workers/config.ts';
import { startScriptedModel, type ScriptedModel } from '../chain/scriptedModel.ts';
import { startTestStack, type TestStack } from '../chain/stack.ts';

const GOOD_SEED = 10;
const BAD_SEED = 20;
const evaluate = {
  benchmarks: ['guard'],
  languages: ['python'],
  samplesPerTask: 1,
  analysers: [],
  references: { repeats: 1 },
};

let stack: TestStack;
let model: ScriptedModel;
let folder: string;

/** The solutions to whoever asks with the good seed. */
async function knownAnswers(): Promise<(message: string, seed: number) => string> {
  const { paths } = readWorkerConfig({ ...process.env, SECPI_STATE: join(folder, 'host') });
  const host = await prepareHost({ paths, environment: {} });
  try {
    const driver = await host.driver('guard', evaluateSchema.parse(evaluate));
    const known = new Map<string, string>();
    for (const { taskId, prompts } of driver.tasks)
      known.set(prompts.none, (await driver.reference(taskId)) ?? '');
    return (message, seed) => (seed === GOOD_SEED ? known.get(message) : undefined) ?? 'I would rather not.';
  } finally {
    await host.close();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secpi-runs-'));
  stack = await startTestStack();
  model = await startScriptedModel(await knownAnswers());
  await stack.startWorker(['control', 'data', 'sandbox']);
  for (const [id, seed] of [
    ['good', GOOD_SEED],
    ['bad', BAD_SEED],
  ] as const)
    await stack.startByCli('evaluateModel', id, {
      version: 1,
      endpoint: {
        baseUrl: model.baseUrl,
        model: 'scripted',
        priceUsdPerMillionTokens: { prompt: 1, completion: 2 },
      },
      label: id,
      evaluate: { ...evaluate, sampling: { temperature: 0.5, seed } },
    });
  await stack.startByCli('fineTune', 'refused', { version: 1 });
  for (const id of ['good', 'bad', 'refused'])
    await stack.client.workflow
      .getHandle(id)
      .result()
      .catch(() => undefined);
}, 300_000);
afterAll(async () => {
  await stack?.stop();
  await model?.close();
  await rm(folder, { recursive: true, force: true });
});

const secpi = async (...args: string[]) => await runCli(args, { ...stack.env });

describe('secpi runs', () => {
  it('lists them, the last that ended first, by state and type', async () => {
    const { code, output } = await secpi('runs', '--json');
    expect(code, output).toBe(0);
    const runs: Record<string, unknown>[] = JSON.parse(output);
    const [last, ...others] = runs
      .map(({ workflowId, type, state }) => [workflowId, type, state])
      .toReversed();
    expect(last).toEqual(['refused', 'fineTune', 'failed']);
    expect(others.toSorted()).toEqual([
      ['bad', 'evaluateModel', 'completed'],
      ['good', 'evaluateModel', 'completed'],
    ]);
    expect(runs[2]).toMatchObject({ costUsd: null, closedAt: expect.any(String), parent: null });
    expect((await secpi('runs', '--state', 'running')).output).toContain('No run fits.');
    expect((await secpi('runs', '--type', 'fineTune', '--limit', '5')).output).toMatch(
      /^run +type +state .*\nrefused +fineTune +failed .*\n$/,
    );
    expect(JSON.parse((await secpi('runs', '--json', '--limit', '1')).output)).toHaveLength(1);
  });

  it('follow one to its table, whoever started it', async () => {
    const out = join(folder, 'followed');
    const { code, output } = await secpi('runs', 'follow', 'good', '--out', out);
    expect(code, output).toBe(0);
    expect(output).toMatch(/^evaluateModel good\n/);
    expect(output).toContain(`Report   file://${out}/report.html`);
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('<html');
  });

  it('follow one that failed to its reason, with the exit code of a failed run', async () => {
    const { code, output } = await secpi('runs', 'follow', 'refused');
    expect(code).toBe(1);
    expect(output).toContain('RECIPE_INVALID');
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('follow no run that is not there', async () => {
    expect(await secpi('runs', 'follow', 'nobody')).toMatchObject({
      code: 2,
      output: expect.stringContaining('there is no run "nobody"'),
    });
  });
});

describe('secpi report', () => {
  it('fetches the three files', async () => {
    const out = join(folder, 'report');
    const { code, output } = await secpi('report', 'good', '--out', out, '--json');
    expect(code, output).toBe(0);
    const { files, workflowId } = JSON.parse(output);
    expect(workflowId).toBe('good');
    expect(summarySchema.parse(JSON.parse(await readFile(files.summary, 'utf8'))).run.workflowId).toBe(
      'good',
    );
    expect(await readFile(files.markdown, 'utf8')).toMatch(/^# /);
  });

  it('says of a run without one why there is none', async () => {
    expect(await secpi('report', 'refused')).toMatchObject({
      code: 2,
      output: expect.stringContaining('ended without a result (failed)'),
    });
  });
});

describe('secpi compare', () => {
  it('pairs two runs by task', async () => {
    const out = join(folder, 'compared');
    const { code, output } = await secpi('compare', 'good', 'bad', '--out', out, '--json');
    expect(code, output).toBe(0);
    const { labels, difference, models } = summarySchema.parse(JSON.parse(output));
    expect(labels).toEqual({ base: 'good', tuned: 'bad' });
    expect([models.base.func.value, models.tuned?.func.value]).toEqual([1, 0]);
    expect(difference?.func.value).toBe(-1);
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('good → bad');
  });

  it('takes a summary and the uri of an evaluation as well', async () => {
    const out = join(folder, 'again');
    await secpi('report', 'good', '--out', out);
    const result: { benchmarks: { artifact: { uri: string } }[] } = await stack.client.workflow
      .getHandle('bad')
      .result();
    const { code, output } = await secpi(
      'compare',
      join(out, 'summary.json'),
      result.benchmarks[0]?.artifact.uri ?? '',
      '--label',
      'before',
      '--against-label',
      'after',
    );
    expect(code, output).toBe(0);
    expect(output).toMatch(/before +after/);
  });

  it('refuses what evaluates nothing', async () => {
    expect(await secpi('compare', 'good', 'refused')).toMatchObject({
      code: 2,
      output: expect.stringMatching(/ARTIFACT_NOT_FOUND[\s\S]*refused/),
    });
    expect(await secpi('compare', 'good', '/nowhere/summary.json')).toMatchObject({
      code: 2,
      output: expect.stringContaining('SAMPLES_INVALID  B'),
    });
  });
});
