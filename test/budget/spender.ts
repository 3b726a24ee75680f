/**
 * A process that spends: recovers what dead ones left, then sends requests to a paid endpoint, each reserved for first.
 * Says "ready" when it begins. SIGTERM closes its purse; the tests use SIGKILL as well.
 */
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { temporalBank } from '../../src/activities/bank.ts';
import { openPurse } from '../../src/services/budget/purse.ts';
import { recoverTranches } from '../../src/services/budget/recoverTranches.ts';

const settings = z
  .object({
    address: z.string(),
    workflowId: z.string(),
    dir: z.string(),
    endpoint: z.string(),
    concurrency: z.number(),
    worstUsd: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
export type SpenderSettings = typeof settings;

const client = new Client({ connection: await Connection.connect({ address: settings.address }) });
const holder = { namespace: 'default', workflowId: settings.workflowId, runId: '' };
const onTrouble = (error: unknown): void => console.error(error);
const recovered = await recoverTranches({
  dir: settings.dir,
  bankOf: (of) => temporalBank(client, of),
  onTrouble,
});
const purse = await openPurse({
  bank: temporalBank(client, holder),
  holder,
  dir: settings.dir,
  pollEveryMs: 100,
  onTrouble,
});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('stopping')));
process.stdout.write(`${JSON.stringify({ ready: true, recovered })}\n`);

const lane = async (): Promise<void> => {
  while (!stop.signal.aborted) {
    const reservation = await purse.reserve(settings.worstUsd, stop.signal);
    try {
      const answer = await fetch(settings.endpoint, { method: 'POST' });
      if (answer.ok) reservation.settle(z.object({ usd: z.number() }).parse(await answer.json()).usd);
      else {
        await answer.body?.cancel();
        reservation.release();
      }
    } catch {
      // Cut off: whether it was charged is not known.
      reservation.abandon();
    }
  }
};
const lanes = await Promise.allSettled(Array.from({ length: settings.concurrency }, lane));
await purse.close();
await client.connection.close();
const failed = lanes.find((result) => result.status === 'rejected' && result.reason !== stop.signal.reason);
if (failed !== undefined) throw new Error('a lane failed', { cause: failed });
