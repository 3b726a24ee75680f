/** Generates the planned samples batch by batch; a batch that is in the store already is not generated again. */
import type { EvaluateSettings } from '../../contract/recipe.ts';
import type { ShardRecord } from '../../contract/manifest.ts';
import type { SampleRow } from '../../contract/rows.ts';
import { emptyUsage } from '../../contract/usage.ts';
import { createChatClient, type ChatClient } from '../llm/client.ts';
import type { Completion } from '../llm/chat.ts';
import type { Store } from '../store/index.ts';
import { writeRows } from '../store/rows.ts';
import type { ModelServer } from './modelServer.ts';
import { cutBatches, planSamples, type PlannedSample } from './plan.ts';

/** Raised by hand when the same model and settings give other samples. */
export const GENERATE_CODE_VERSION = 1;
const REQUEST_TIMEOUT_MS = 30 * 60_000;

export interface PromptedTask {
  readonly benchmark: string;
  readonly id: string;
  readonly message: string;
}

export interface GenerationRequest {
  readonly fingerprint: string;
  readonly tasks: readonly PromptedTask[];
  readonly settings: EvaluateSettings;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Called when the first missing batch is met: with everything there, no server starts. */
  startServer(): Promise<ModelServer>;
  onBatch(doneSamples: number, totalSamples: number, note: string): void;
}

/** Returns the number of batches. All their shard records are in the store then. */
export async function runGeneration(request: GenerationRequest): Promise<number> {
  const { settings, store, tasks } = request;
  const planned = planSamples(
    tasks.map(({ id }) => id),
    settings.samplesPerTask,
    settings.sampling.seed,
  );
  const batches = cutBatches(planned, settings.batchSamples);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  let server: ModelServer | null = null;
  let client: ChatClient | null = null;
  let done = 0;
  try {
    for (const [index, batch] of batches.entries()) {
      request.signal.throwIfAborted();
      if ((await store.artifacts.getShard('generation', request.fingerprint, index)) === null) {
        if (server === null || client === null) {
          request.onBatch(done, planned.length, 'starting the model server');
          server = await request.startServer();
          client = createChatClient({
            baseUrl: server.baseUrl,
            model: server.model,
            timeoutMs: REQUEST_TIMEOUT_MS,
          });
        }
        request.onBatch(done, planned.length, `batch ${index + 1} of ${batches.length}`);
        const record = await generateBatch(request, { server, client }, index, batch, byId);
        await store.artifacts.putShard('generation', request.fingerprint, record);
      }
      done += batch.length;
      request.onBatch(done, planned.length, `batch ${index + 1} of ${batches.length}`);
    }
  } finally {
    await client?.close();
    await server?.stop();
  }
  return batches.length;
}

/** One batch: sent together and awaited together. A failed request fails the batch, so that no hole is published. */
async function generateBatch(
  { settings, store, signal, fingerprint }: GenerationRequest,
  { server, client }: { server: ModelServer; client: ChatClient },
  index: number,
  batch: readonly PlannedSample[],
  tasks: ReadonlyMap<string, PromptedTask>,
): Promise<ShardRecord> {
  const startedMs = Date.now();
  const stop = new AbortController();
  const ask = async (planned: PlannedSample): Promise<SampleRow> => {
    const task = tasks.get(planned.taskId);
    if (task === undefined) throw new Error(`no task ${planned.taskId}`);
    const completion = await client.complete({
      messages: [{ role: 'user', content: task.message }],
      sampling: { ...settings.sampling, seed: planned.seed },
      headers: { 'x-secpi-batch': `${fingerprint.slice(0, 16)}-${index}/${batch.length}` },
      signal: AbortSignal.any([signal, stop.signal]),
    });
    return toRow(planned, task.benchmark, completion);
  };
  const requests = batch.map(ask);
  let rows: SampleRow[];
  try {
    rows = await Promise.race([Promise.all(requests), server.crashed]);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(requests);
    throw error;
  }
  const [part] = await writeRows(store.blobs, rows, { rowsPerPart: rows.length });
  const promptTokens = rows.reduce((sum, row) => sum + row.promptTokens, 0);
  const completionTokens = rows.reduce((sum, row) => sum + row.completionTokens, 0);
  return {
    index,
    parts: part === undefined ? {} : { samples: part },
    counts: {
      samples: rows.length,
      truncated: rows.filter(({ finishReason }) => finishReason === 'length').length,
    },
    usage: { ...emptyUsage, requests: rows.length, promptTokens, completionTokens },
    seconds: (Date.now() - startedMs) / 1000,
  };
}

function toRow(
  { index, taskId, sample }: PlannedSample,
  benchmark: string,
  completion: Completion,
): SampleRow {
  const { reasoning, text } = completion;
  return {
    index,
    benchmark,
    taskId,
    sample,
    reply: reasoning === null ? text : `<think>\n${reasoning}\n</think>\n\n${text}`,
    finishReason: completion.finishReason,
    promptTokens: completion.usage.promptTokens,
    completionTokens: completion.usage.completionTokens,
  };
}
