/**
 * The whole chain on the real small model, with fewer steps, samples and tokens than recipes/quick.json; then the run
 * is looked at as a person would: by the Temporal CLI, in the Temporal UI with a real browser, in the report.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarySchema, type Summary } from '../../src/contract/summary.ts';
import type { SecpiResult } from '../../src/contract/workflows.ts';
import { findProcesses, projectDir, quickRecipe, startTestStack, until, type TestStack } from './stack.ts';

const CANARY = 'canary-4f1d-never-in-a-history';
const browserPath =
  process.env['CHROME_PATH'] ??
  ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

let stack: TestStack;
let result: SecpiResult;
let summary: Summary;

async function smallRecipe(): Promise<Record<string, unknown>> {
  const recipe = await quickRecipe();
  return {
    ...recipe,
    finetune: { ...recipe['finetune'], maxSteps: 6, epochs: 1, checkpointEverySteps: 3 },
    evaluate: {
      ...recipe['evaluate'],
      benchmarks: ['suite', 'cweval', 'guard'],
      samplesPerTask: 1,
      batchSamples: 24,
      sampling: { temperature: 0.4, maxTokens: 48, seed: 7 },
    },
  };
}

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker([], {
    SOME_API_KEY: CANARY,
    CWEVAL_HOME: join(projectDir, 'test/cweval/checkout'),
    CWEVAL_PYTHON: '/usr/bin/python3',
  });
  await stack.startByCli('secpi', 'mine', await smallRecipe());
  result = (await stack.client.workflow.getHandle('mine').result()) as SecpiResult;
  summary = await readSummary(result);
}, 900_000);
afterAll(async () => await stack?.stop());

async function readSummary({ summary: { uri, sha256 } }: SecpiResult): Promise<Summary> {
  const bytes = await stack.store.blobs.readBytes({
    uri,
    sha256,
    bytes: (await stack.store.objects.head(stack.store.objects.keyOf(uri) ?? ''))?.bytes ?? 0,
  });
  return summarySchema.parse(JSON.parse(bytes.toString()));
}

/** Bytes of every payload inside. */
function payloadSizes(part: unknown): number[] {
  if (part instanceof Uint8Array) return [part.byteLength];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(payloadSizes) : [];
}

describe('secpi', () => {
  it('gives base and tuned scores over the fixed denominator', () => {
    const { base, tuned } = summary.models;
    for (const scores of [base, tuned]) {
      for (const metric of ['func', 'secure', 'funcSec'] as const) {
        const { value, low, high, n } = scores?.[metric] ?? { value: -1, low: 0, high: 0, n: 0 };
        expect(n).toBe(20);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }
      expect(scores?.missing).toBe(0);
      expect(scores?.unknown).toBe(0);
      expect(scores?.heldOut?.tasks).toBe(6);
      expect(scores?.seen?.tasks).toBe(14);
    }
  });

  it('tells every benchmark of the one run, each with both models', () => {
    expect(
      summary.benchmarks.map(({ name, models }) => [name, models.base.tasks, models.tuned?.tasks]),
    ).toEqual([
      ['suite', 20, 20],
      ['cweval', 1, 1],
      ['guard', 24, 24],
    ]);
    const [suite, cweval, guard] = summary.benchmarks;
    for (const benchmark of [suite, cweval, guard]) expect(benchmark?.references?.failed).toEqual([]);
    expect(cweval?.upstream?.tuned).toBeDefined();
    expect([suite?.upstream, guard?.upstream]).toEqual([null, null]);
    expect(guard?.difference?.conclusions.join(' ')).not.toMatch(/secure/);
    expect(summary.models).toEqual(suite?.models);
  });

  it('learned: the held-out loss falls, and the exported adapter changes the logits', () => {
    expect(summary.training?.steps).toBe(6);
    expect(summary.training?.evalLossAfter ?? 9).toBeLessThan(summary.training?.evalLossBefore ?? 0);
    expect(summary.training?.logitsMaxAbsDiff).toBeGreaterThan(0);
  });

  it('tells every stage with its artefact, time and reuse', () => {
    expect(summary.stages.map(({ name }) => name)).toEqual([
      'filter',
      'distil',
      'fine-tune',
      'evaluate base',
      'evaluate tuned',
    ]);
    for (const { artefact, seconds, reused } of summary.stages) {
      expect(artefact).toMatch(/^s3:\/\//);
      expect(seconds).toBeGreaterThan(0);
      expect(reused).toBe(false);
    }
  });

  it('leaves nothing running but the stack', async () => {
    expect(await findProcesses('secpi_trainer', stack.dir)).toEqual([]);
    expect(
      await findProcesses('secpi_trainer serve', stack.env['SECPI_CACHE'] ?? 'none', 'max-batch 24'),
    ).toEqual([]);
  });

  it('answers the progress query of the plain CLI with stage, rows, cost and step', async () => {
    const shown = await stack.temporal('workflow', 'query', '--workflow-id', 'mine', '--type', 'progress');
    for (const word of ['"stage":', '"rows":', '"costUsd":0', '"step":6', '"state":"done"'])
      expect(shown).toContain(word);
  });

  it('keeps payloads small and keys out of every history', async () => {
    for (const id of [
      'mine',
      'mine/filter',
      'mine/distil',
      'mine/fine-tune',
      'mine/evaluate-base',
      'mine/evaluate-tuned',
    ]) {
      const { events } = await stack.client.workflow.getHandle(id).fetchHistory();
      expect(JSON.stringify(events)).not.toContain(CANARY);
      expect(Math.max(...(events ?? []).flatMap(payloadSizes))).toBeLessThan(8192);
      expect(events?.length).toBeLessThan(400);
    }
  });

  it('reuses everything the second time: no request, no trainer, no server, and the same scores', async () => {
    const before = stack.teacher.stats().requests;
    const trainings = await Array.fromAsync(stack.store.objects.list('trainings/'));
    const again = (await stack.client.workflow.execute('secpi', {
      taskQueue: 'secpi',
      workflowId: 'again',
      args: [await smallRecipe()],
    })) as SecpiResult;
    expect(again.reusedStages).toEqual(['filter', 'distil', 'fine-tune', 'evaluate base', 'evaluate tuned']);
    expect(stack.teacher.stats().requests).toBe(before);
    expect(
      (await Array.fromAsync(stack.store.objects.list('trainings/'))).map(({ key, etag }) => [key, etag]),
    ).toEqual(trainings.map(({ key, etag }) => [key, etag]));
    expect((await readSummary(again)).models).toEqual(summary.models);
  }, 120_000);
});

describe('a person at a browser', () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (browserPath === undefined)
      console.log('skipped: no Chromium (apt-get install chromium, or set CHROME_PATH)');
    else
      browser = await chromium.launch({
        executablePath: browserPath,
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          '--no-first-run',
        ],
      });
  });
  afterAll(async () => await browser?.close());

  async function textOf(page: Page, url: string, wanted: string): Promise<string> {
    await page.goto(url);
    return await until(
      `"${wanted}" on ${url}`,
      async () => {
        const text = await page.locator('body').innerText();
        return text.includes(wanted) && text;
      },
      30_000,
    );
  }

  /** Markdown of a workflow is shown in a frame of its own. One that is replaced while it is read is read again. */
  async function markdownOn(page: Page, url: string, wanted: string): Promise<string> {
    await page.goto(url);
    return await until(`"${wanted}" in the Markdown on ${url}`, async () => {
      const texts = await Promise.all(
        page.frames().map(
          async (frame) =>
            await frame
              .locator('body')
              .innerText()
              .catch(() => ''),
        ),
      );
      return texts.find((text) => text.includes(wanted));
    });
  }

  it('reads stages, summaries and search attributes in the Temporal UI', async (context) => {
    if (browser === undefined) return context.skip();
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    const { runId } = await stack.client.workflow.getHandle('mine').describe();
    const url = `${stack.uiUrl}/namespaces/default/workflows/mine/${runId}`;
    await textOf(page, `${url}/history`, 'write report.html, report.md and summary.json');
    // The list shows a page of events: from its beginning it holds the checks.
    await page.getByText('Descending').first().click();
    const history = await until('the first summaries', async () => {
      const text = await page.locator('body').innerText();
      return text.includes('are classifier and teacher reachable?') && text;
    });
    for (const summaryText of ['is the target model there?', 'can suite be graded?'])
      expect(history).toContain(summaryText);
    const tree = await textOf(page, `${url}/relationships`, 'mine/filter');
    for (const child of ['mine/distil', 'mine/fine-tune', 'mine/evaluate-base', 'mine/evaluate-tuned'])
      expect(tree).toContain(child);
    await page.goto(`${url}/timeline`);
    await until('the timeline', async () =>
      ((await page.locator('body').textContent()) ?? '').includes(
        'write report.html, report.md and summary.json',
      ),
    );
    const target =
      process.env['SECPI_UPDATE_DOCS'] === undefined
        ? join(projectDir, 'out/temporal-ui.png')
        : join(projectDir, 'docs/images/temporal-ui.png');
    await mkdir(dirname(target), { recursive: true });
    await page.screenshot({ path: target });
    expect((await readFile(target)).length).toBeGreaterThan(10_000);

    const attributes = await textOf(page, `${url}/search-attributes`, 'SecpiRecipe');
    for (const word of [
      'SecpiRecipe',
      'quick',
      'SecpiFuncSec',
      'SecpiCostUsd',
      'SecpiModel',
      'SmolLM2-135M-Instruct',
    ])
      expect(attributes).toContain(word);
    const details = await markdownOn(page, `${url}/user-metadata`, 'evaluate tuned');
    for (const stage of ['filter', 'distil', 'fine-tune', 'evaluate base', 'evaluate tuned', 'report'])
      expect(details).toContain(stage);
    const child = await stack.client.workflow.getHandle('mine/filter').describe();
    const childUrl = `${stack.uiUrl}/namespaces/default/workflows/mine%2Ffilter/${child.runId}`;
    const handles = await markdownOn(page, `${childUrl}/user-metadata`, 'temporal workflow query');
    for (const word of [
      "--workflow-id 'mine/filter' --type progress",
      'raiseBudget',
      'docs/workflows/filterDataset.md',
    ])
      expect(handles).toContain(word);
    await page.close();
  }, 120_000);

  it('reads the report', async (context) => {
    if (browser === undefined) return context.skip();
    const file = join(stack.dir, 'report.html');
    const key = stack.store.objects.keyOf(result.report.uri) ?? '';
    await writeFile(file, (await stack.store.objects.get(key))?.bytes ?? '');
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    const text = await textOf(page, `file://${file}`, 'quick');
    for (const word of ['func', 'secure', 'CWE-', 'core/py/cwe_022_0', 'CWEval', 'Guard'])
      expect(text).toContain(word);
    expect(errors).toEqual([]);
    await page.close();
  }, 60_000);
});
