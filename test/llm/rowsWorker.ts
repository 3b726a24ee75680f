/**
 * A worker process of the kill tests: puts ROWS prompts through an endpoint with a ledger over a real S3 server.
 * Tells its parent `{done}` as it goes and `{result}` at its end.
 */
import { z } from 'zod';
import { openEndpoint } from '../../src/services/llm/endpoint.ts';
import { openLedger } from '../../src/services/llm/ledger.ts';
import { answerSpace } from '../../src/services/llm/requestKey.ts';
import { runRequests } from '../../src/services/llm/runRows.ts';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../store/server.ts';

const settingsSchema = z.object({
  baseUrl: z.string(),
  endpoint: z.string(),
  bucket: z.string(),
  localDir: z.string(),
  from: z.number(),
  rows: z.number(),
  concurrency: z.number(),
  flushEveryMs: z.number(),
});
export type WorkerSettings = z.infer<typeof settingsSchema>;

export type WorkerMessage =
  | { readonly done: number }
  | {
      readonly result: {
        readonly texts: string[];
        readonly requests: number;
        readonly ledgerHits: number;
        readonly recoveredRows: number;
      };
    };

const settings = settingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const sampling = { temperature: 0, topP: 1, maxTokens: 100, seed: 0 };
const identity = { model: 'scripted', revision: '1', promptVersion: 'kill-1' };

const objects = createObjectStore({
  endpoint: settings.endpoint,
  region: TEST_REGION,
  bucket: settings.bucket,
  credentials: TEST_CREDENTIALS,
});
const ledger = await openLedger({
  objects,
  space: answerSpace(identity, sampling),
  localDir: settings.localDir,
  flushEveryMs: settings.flushEveryMs,
});
const endpoint = openEndpoint({
  addresses: [{ baseUrl: settings.baseUrl, model: 'scripted' }],
  concurrency: settings.concurrency,
  timeoutMs: 30_000,
  maxOutageMs: 300_000,
});
const { results, usage } = await runRequests({
  rows: Array.from({ length: settings.rows }, (_, at) => `row ${settings.from + at}`),
  toRequest: (row) => ({ rowId: row, index: 0, messages: [{ role: 'user', content: row }], sampling }),
  interpret: (answer) => answer.text,
  identity,
  payer: 'a test',
  ledger,
  endpoint,
  onProgress: ({ done }) => tell({ done }),
});
await ledger.close();
await endpoint.close();
objects.close();
process.send?.(
  {
    result: {
      texts: results.map((result) =>
        result.kind === 'answered' ? result.value : `dead: ${result.error.message}`,
      ),
      requests: usage.requests,
      ledgerHits: usage.ledgerHits,
      recoveredRows: ledger.counts().recovered.rows,
    },
  } satisfies WorkerMessage,
  // A large message is still on its way when `send` returns.
  () => process.disconnect(),
);

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
