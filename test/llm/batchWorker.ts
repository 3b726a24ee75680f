/**
 * A client process of the kill tests: puts ROWS prompts through a batch server, its ledger and records on a real S3
 * server. Kills itself with SIGKILL at the step it is told: `before` or `after` the n-th call whose name matches.
 */
import { z } from 'zod';
import { createBatchClient } from '../../src/services/llm/batch/client.ts';
import { runBatchRequests } from '../../src/services/llm/batch/runBatch.ts';
import { openLedger } from '../../src/services/llm/ledger.ts';
import { answerSpace } from '../../src/services/llm/requestKey.ts';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../store/server.ts';

const settingsSchema = z.object({
  baseUrl: z.string(),
  endpoint: z.string(),
  bucket: z.string(),
  localDir: z.string(),
  rows: z.number(),
  kill: z.object({ when: z.enum(['before', 'after']), call: z.string(), times: z.number() }).nullable(),
});
export type BatchWorkerSettings = z.infer<typeof settingsSchema>;

export interface BatchWorkerResult {
  readonly texts: readonly string[];
  readonly requests: number;
  readonly ledgerHits: number;
  readonly costUsd: number;
}

const settings = settingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const sampling = { temperature: 0, topP: 1, maxTokens: 100, seed: 0 };
const identity = { model: 'scripted', revision: '1', promptVersion: 'batch-kill-1' };
const space = answerSpace(identity, sampling);

const seen = { before: 0, after: 0 };
function step(when: 'before' | 'after', call: string): void {
  const { kill } = settings;
  if (kill === null || kill.when !== when || !new RegExp(kill.call).test(call)) return;
  seen[when] += 1;
  if (seen[when] === kill.times) process.kill(process.pid, 'SIGKILL');
}
async function stepped<T>(call: string, work: () => Promise<T>): Promise<T> {
  step('before', call);
  const result = await work();
  step('after', call);
  return result;
}

const objects = createObjectStore({
  endpoint: settings.endpoint,
  region: TEST_REGION,
  bucket: settings.bucket,
  credentials: TEST_CREDENTIALS,
});
const ledger = await openLedger({ objects, space, localDir: settings.localDir, flushEveryMs: 60_000 });
const openai = createBatchClient({ baseUrl: settings.baseUrl, timeoutMs: 5_000 });
const stepping = openai.withOptions({
  fetch: (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    return stepped(`${init?.method?.toUpperCase() ?? 'GET'} ${pathname}`, () => fetch(input, init));
  },
});

let appended: Promise<unknown> = Promise.resolve();
const { results, usage } = await runBatchRequests({
  rows: Array.from({ length: settings.rows }, (_, at) => `row ${at}`),
  toRequest: (row) => ({ rowId: row, index: 0, messages: [{ role: 'user', content: row }], sampling }),
  interpret: (answer) => answer.text,
  identity,
  payer: 'a test',
  price: { prompt: 1, completion: 1 },
  ledger: {
    get: (key) => ledger.get(key),
    // One after the other, so that half of the appends is half of the lines on disk.
    append: (answer) => {
      const work = appended.then(() => stepped('append', () => ledger.append(answer)));
      appended = work;
      return work;
    },
    flush: () => stepped('flush', () => ledger.flush()),
  },
  openai: stepping,
  endpoint: { baseUrl: settings.baseUrl, model: 'scripted', timeoutMs: 5_000 },
  tokenLimitField: 'max_tokens',
  objects: {
    get: (key) => objects.get(key),
    uriOf: (key) => objects.uriOf(key),
    putIfAbsent: (key, bytes) => stepped('record absent', () => objects.putIfAbsent(key, bytes)),
    replaceIfMatch: (key, bytes, etag) =>
      stepped(`record ${stateOf(bytes)}`, () => objects.replaceIfMatch(key, bytes, etag)),
  },
  space,
  pollEveryMs: 20,
  limits: { backoff: { firstMs: 5, maxMs: 40 } },
});
await ledger.close();
objects.close();
process.send?.(
  {
    texts: results.map((result) =>
      result.kind === 'answered' ? result.value : `dead: ${result.error.message}`,
    ),
    requests: usage.requests,
    ledgerHits: usage.ledgerHits,
    costUsd: usage.costUsd,
  } satisfies BatchWorkerResult,
  // A large message is still on its way when `send` returns.
  () => process.disconnect(),
);

function stateOf(bytes: Uint8Array): string {
  return z.object({ state: z.string() }).parse(JSON.parse(Buffer.from(bytes).toString())).state;
}
