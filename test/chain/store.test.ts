/** What a run says of the store it is given: unfit ones are refused at the start, passing faults are tried again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StageResult } from '../../src/contract/workflows.ts';
import { startProxy, type FaultProxy } from '../store/proxy.ts';
import { quickRecipe, startTestStack, type TestStack, type WorkerProcess } from './stack.ts';

let stack: TestStack;
let proxy: FaultProxy;
let worker: WorkerProcess | undefined;

beforeAll(async () => {
  stack = await startTestStack();
  proxy = await startProxy(stack.s3.port);
});
afterAll(async () => {
  await stack?.stop();
  await proxy?.close();
});

/** Runs the filter with workers that see the store as `env` says; the failure's message, or null. */
async function filterWith(id: string, env: Readonly<Record<string, string>>): Promise<string | null> {
  worker = await stack.startWorker(['control', 'data'], env);
  try {
    const { dataset, filter } = await quickRecipe();
    const handle = await stack.client.workflow.start('filterDataset', {
      taskQueue: 'secpi',
      workflowId: id,
      args: [{ version: 1, dataset, filter }],
    });
    const failed = await handle.result().then(
      () => false,
      () => true,
    );
    return failed ? await stack.temporal('workflow', 'show', '--workflow-id', id, '--output', 'json') : null;
  } finally {
    await worker.stop();
  }
}

it('refuses a bucket that is missing', async () => {
  const failure = await filterWith('no-bucket', { SECPI_BUCKET: 'never-created' });
  for (const word of ['BUCKET_MISSING', 'never-created', 'Remedy:']) expect(failure).toContain(word);
});

it('refuses wrong credentials without showing them', async () => {
  const failure = await filterWith('no-access', { AWS_SECRET_ACCESS_KEY: 'not-the-secret-of-this-store' });
  expect(failure).toContain('STORE_ACCESS_DENIED');
  expect(failure).not.toContain('not-the-secret-of-this-store');
});

it.each(['if-none-match', 'if-match'])('refuses a store that ignores %s', async (header) => {
  proxy.decide(({ headers }) => (headers[header] === undefined ? 'pass' : 'stripConditions'));
  const failure = await filterWith(`unfit-${header}`, { AWS_ENDPOINT_URL_S3: proxy.endpoint });
  for (const word of ['STORE_UNFIT', 'Remedy:']) expect(failure).toContain(word);
});

it('goes on through an outage of the store, and shows it as attempts', async () => {
  let refused = 0;
  // Every request of ten seconds and more: longer than the retries within one attempt.
  let outageEndsAt: number | null = null;
  proxy.decide(() => {
    outageEndsAt ??= Date.now() + 12_000;
    if (Date.now() > outageEndsAt) return 'pass';
    refused += 1;
    return 503;
  });
  expect(await filterWith('outage', { AWS_ENDPOINT_URL_S3: proxy.endpoint })).toBeNull();
  expect(refused).toBeGreaterThan(5);
  const handle = stack.client.workflow.getHandle('outage');
  expect(((await handle.result()) as StageResult).counts['bad']).toBe(0);
  const { events } = await handle.fetchHistory();
  const attempts = (events ?? []).map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0);
  expect(Math.max(...attempts)).toBeGreaterThan(1);
}, 120_000);

it('runs on a namespace without the search attributes, and its worker says what to do', async () => {
  const bare = await startTestStack({ searchAttributes: false });
  try {
    await bare.startWorker(['control', 'data']);
    const { dataset, filter } = await quickRecipe();
    const result = (await bare.client.workflow.execute('filterDataset', {
      taskQueue: 'secpi',
      workflowId: 'bare',
      args: [{ version: 1, dataset, filter }],
    })) as StageResult;
    expect(result.counts['kept']).toBeGreaterThan(0);
    const log = await readFile(join(bare.dir, 'worker-control-data-0.log'), 'utf8');
    expect(log).toContain('the namespace lacks search attributes');
    expect(log).toContain('temporal operator search-attribute create');
  } finally {
    await bare.stop();
  }
}, 90_000);
