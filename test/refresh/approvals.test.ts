/** Approvals of one series by several runs at once, in a real store. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addApproval, readApprovals } from '../../src/services/refresh/approvals.ts';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';

let server: TestServer;
let store: Store;
beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
});
afterAll(async () => await server?.stop());

const approval = (run: string) => ({
  at: '2026-11-21T06:00:00.000Z',
  workflowId: 'weekly',
  firstRunId: run,
  dataset: `s3://secpi/artifacts/dataset/${run}`,
  rows: 5,
  traces: `s3://secpi/artifacts/traces/${run}`,
  note: '',
});
const runsOf = async (series: string): Promise<string[]> =>
  (await readApprovals(store.objects, series)).approved.map(({ firstRunId }) => firstRunId);

it('is empty before the first, and holds each once, however often it is written', async () => {
  expect(await runsOf('a/b c')).toEqual([]);
  await addApproval(store.objects, 'a/b c', approval('one'));
  await addApproval(store.objects, 'a/b c', { ...approval('one'), at: '2026-11-22T06:00:00.000Z' });
  await addApproval(store.objects, 'a/b c', approval('two'));
  expect(await runsOf('a/b c')).toEqual(['one', 'two']);
  expect(await runsOf('other')).toEqual([]);
});

it('loses none of those that race', async () => {
  const runs = Array.from({ length: 8 }, (_, index) => `run-${index}`);
  await Promise.all(runs.map(async (run) => await addApproval(store.objects, 'race', approval(run))));
  expect((await runsOf('race')).sort()).toEqual(runs);
});
