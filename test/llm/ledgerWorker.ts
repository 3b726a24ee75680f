/**
 * A process that pays for ROWS answers with nothing but a ledger between it and the endpoint. Tells its parent
 * `{done}` as it goes and `{result}` at its end.
 */
import { z } from 'zod';
import { openLedger } from '../../src/services/llm/ledger.ts';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import { sha256Hex } from '../../src/services/store/hash.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../store/server.ts';
import { answerOf } from './ledgerSamples.ts';

const settingsSchema = z.object({
  baseUrl: z.string(),
  endpoint: z.string(),
  bucket: z.string(),
  space: z.string(),
  localDir: z.string(),
  rows: z.number(),
  concurrency: z.number(),
  flushEveryMs: z.number(),
});
export type LedgerWorkerSettings = z.infer<typeof settingsSchema>;

export interface LedgerWorkerResult {
  readonly texts: readonly string[];
  readonly requests: number;
  readonly hits: number;
  readonly recoveredRows: number;
  readonly duplicates: number;
}
export type LedgerWorkerMessage = { readonly done: number } | { readonly result: LedgerWorkerResult };

const replySchema = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })) });

const settings = settingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { baseUrl, endpoint, bucket, space, localDir, rows, concurrency, flushEveryMs } = settings;
const objects = createObjectStore({ endpoint, region: TEST_REGION, bucket, credentials: TEST_CREDENTIALS });
const ledger = await openLedger({ objects, space, localDir, flushEveryMs });
const texts: string[] = [];
let requests = 0;
let hits = 0;
let next = 0;
let done = 0;

async function lane(): Promise<void> {
  while (next < rows) {
    const at = next;
    next += 1;
    const prompt = `row ${at}`;
    const key = sha256Hex(prompt);
    const present = await ledger.get(key);
    if (present === null) requests += 1;
    else hits += 1;
    const answer = present ?? (await ledger.append(answerOf(prompt, await ask(prompt))));
    texts[at] = answer.text;
    done += 1;
    process.send?.({ done } satisfies LedgerWorkerMessage);
  }
}

async function ask(prompt: string): Promise<string> {
  const reply = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: prompt }] }),
  });
  return replySchema.parse(await reply.json()).choices[0]?.message.content ?? '';
}

await Promise.all(Array.from({ length: concurrency }, lane));
await ledger.close();
await ledger.refresh();
const { recovered, duplicates } = ledger.counts();
objects.close();
process.send?.(
  {
    result: { texts, requests, hits, recoveredRows: recovered.rows, duplicates },
  } satisfies LedgerWorkerMessage,
  // A large message is still on its way when `send` returns.
  () => process.disconnect(),
);
