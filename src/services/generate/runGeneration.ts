/** Generates the planned samples batch by batch; a batch that is in the store already is not generated again. */
import type { EvaluateSettings } from '../../contract/recipe.ts';
import type { ShardRecord, Usage } from '../../contract/manifest.ts';
import type { BenchmarkTaskRow, SampleRow } from '../../contract/rows.ts';
import type { Store } from '../store/index.ts';
import { writeRows } from '../store/rows.ts';
import { cutBatches, planSamples, type PlannedSample } from './plan.ts';

/** Raised by hand when the same model and settings give other samples. */
export const GENERATE_CODE_VERSION = 3;

export interface Batch {
  readonly index: number;
  readonly samples: readonly AskedSample[];
}

export interface AskedSample extends PlannedSample {
  readonly task: BenchmarkTaskRow;
  /** The whole user message. */
  readonly message: string;
}

/** What became of one planned sample; a null reply where the endpoint gave none. */
export type Answer = Pick<
  SampleRow,
  'reply' | 'reasoning' | 'finishReason' | 'promptTokens' | 'completionTokens' | 'problem'
>;

/** A sample without a reply: a failure of the model. `problem`: what the endpoint said. */
export function unanswered(problem: string): Answer {
  return {
    reply: null,
    reasoning: null,
    finishReason: null,
    promptTokens: 0,
    completionTokens: 0,
    problem: problem.slice(0, 500),
  };
}

export interface AnsweredBatch {
  /** By position in the batch. */
  readonly answers: readonly Answer[];
  readonly usage: Usage;
}

export interface GenerationRequest {
  readonly fingerprint: string;
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly settings: Pick<
    EvaluateSettings,
    'samplesPerTask' | 'promptVariants' | 'sampling' | 'batchSamples'
  >;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Batches answered together: 1 where what shares a batch changes the text. */
  readonly batchesAtOnce: number;
  /** In the order of the batches. A failure fails them all, so that no hole is published. */
  answer(batches: readonly Batch[]): Promise<readonly AnsweredBatch[]>;
  onBatch(doneSamples: number, totalSamples: number, note: string): void;
}

/** Returns the number of batches. All their shard records are in the store then. */
export async function runGeneration(request: GenerationRequest): Promise<number> {
  const { store, fingerprint, signal, batchesAtOnce } = request;
  const planned = planOf(request);
  const batches = cutBatches(planned, request.settings.batchSamples).map((samples, index) => ({
    index,
    samples,
  }));
  let done = 0;
  const missing: Batch[] = [];
  for (const batch of batches) {
    if ((await store.artifacts.getShard('generation', fingerprint, batch.index)) === null)
      missing.push(batch);
    else done += batch.samples.length;
  }
  for (const group of cutBatches(missing, batchesAtOnce)) {
    signal.throwIfAborted();
    const note = `batch ${(group[0]?.index ?? 0) + 1} of ${batches.length}`;
    request.onBatch(done, planned.length, note);
    const startedMs = Date.now();
    const answered = await request.answer(group);
    const seconds = (Date.now() - startedMs) / 1000 / group.length;
    for (const [position, batch] of group.entries()) {
      const record = await recordOf(store, batch, answered[position], seconds);
      await store.artifacts.putShard('generation', fingerprint, record);
      done += batch.samples.length;
    }
    request.onBatch(done, planned.length, note);
  }
  return batches.length;
}

function planOf({ tasks, settings }: GenerationRequest): AskedSample[] {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const { samplesPerTask, promptVariants: variants, sampling } = settings;
  return planSamples({ taskIds: [...byId.keys()], variants, samplesPerTask, seed: sampling.seed }).map(
    (planned) => {
      const task = byId.get(planned.taskId);
      const message = task?.prompts[planned.variant];
      if (task === undefined || message === undefined)
        throw new Error(`no prompt of ${planned.taskId} for variant ${planned.variant}`);
      return { ...planned, task, message };
    },
  );
}

async function recordOf(
  store: Store,
  { index, samples }: Batch,
  answered: AnsweredBatch | undefined,
  seconds: number,
): Promise<ShardRecord> {
  if (answered?.answers.length !== samples.length)
    throw new Error(`batch ${index} has ${answered?.answers.length} answers to ${samples.length} requests`);
  const rows = samples.map((sample, position): SampleRow => {
    const { index: row, variant, task, sample: number } = sample;
    const answer = answered.answers[position] as Answer;
    return { index: row, benchmark: task.benchmark, variant, taskId: task.taskId, sample: number, ...answer };
  });
  const [part] = await writeRows(store.blobs, rows, { rowsPerPart: rows.length });
  return {
    index,
    parts: part === undefined ? {} : { samples: part },
    counts: {
      samples: rows.length,
      truncated: rows.filter(({ finishReason }) => finishReason === 'length').length,
      unanswered: rows.filter(({ reply }) => reply === null).length,
    },
    usage: answered.usage,
    seconds,
  };
}
