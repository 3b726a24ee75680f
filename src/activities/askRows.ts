/** Asking an endpoint of a recipe about the rows of a shard: by chat or in batches, at a price, within a budget. */
import { SecpiError } from '../contract/errors.ts';
import type { Endpoint } from '../contract/recipe.ts';
import type { ChatMessage, DeadLetter, TaskRow } from '../contract/rows.ts';
import type { BudgetHolder } from '../contract/workflows.ts';
import { createBatchClient } from '../services/llm/batch/client.ts';
import { runBatchRequests } from '../services/llm/batch/runBatch.ts';
import type { ResponseSchema } from '../services/llm/chat.ts';
import type { EndpointState } from '../services/llm/endpoint.ts';
import { listSpaces, type Ledger, type LedgerAnswer } from '../services/llm/ledger.ts';
import { readApiKey } from '../services/llm/preflight.ts';
import { priceOf } from '../services/llm/price.ts';
import { answerSpace } from '../services/llm/requestKey.ts';
import {
  runRequests,
  type RunProgress,
  type RunRequestsOptions,
  type RunRequestsResult,
} from '../services/llm/runRows.ts';
import { baseUrlOf } from './addresses.ts';
import { identityOf, useEndpoint, useLedger, usePurse, type AskPools } from './askPools.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

export interface Question<Row, Value> {
  readonly endpoint: Endpoint;
  /** Path of the endpoint in the input, for errors. */
  readonly field: string;
  /** The line of the progress table that it belongs to. */
  readonly stage: string;
  readonly promptVersion: string;
  /** The artefact that pays. */
  readonly fingerprint: string;
  readonly budget: BudgetHolder | null;
  readonly rows: readonly Row[];
  /** Which sample of the same request: 0, 1, … */
  readonly sample?: number;
  /** The same, row by row. */
  sampleOf?(row: Row): number;
  /** Another worker may have asked a part of this: its answers are looked for first. */
  readonly elsewhere?: boolean;
  messages(row: Row): ChatMessage[];
  readonly responseSchema?: ResponseSchema;
  interpret(answer: LedgerAnswer): Value;
}

/** Asks an endpoint about every row of a shard; what the ledger has is not asked again. */
export async function askRows<Row extends { readonly id: string }, Value>(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  question: Question<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  const { endpoint, field, promptVersion, responseSchema, budget } = question;
  const { price } = pricedBy(deps, endpoint, field, budget);
  return await useLedger(deps, pools, endpoint, promptVersion, async (ledger) => {
    // An earlier attempt may have answers on this disk or in the store since this ledger looked last.
    if (run.attempt > 1 || question.elsewhere === true) await ledger.refresh();
    return await usePurse(deps, pools, run, budget, async (purse) => {
      const request = {
        rows: question.rows,
        toRequest: (row: Row) => ({
          rowId: row.id,
          index: question.sampleOf?.(row) ?? question.sample ?? 0,
          messages: question.messages(row),
          sampling: endpoint.sampling,
          ...(responseSchema === undefined ? {} : { responseSchema }),
        }),
        interpret: (answer: LedgerAnswer) => question.interpret(answer),
        identity: identityOf(endpoint, promptVersion),
        payer: question.fingerprint,
        ledger,
        lease: async () => await run.lease(),
        signal: run.signal,
        onProgress: ({ done, total }: RunProgress) => run.beat(`${done} of ${total} rows`),
        ...(price === null ? {} : { price }),
        ...(purse === undefined ? {} : { purse }),
      };
      return endpoint.transport === 'batch'
        ? await askInBatches(deps, run, question, request)
        : await askByChat(deps, pools, run, question, request);
    });
  });
}

type AskRequest<Row, Value> = Omit<RunRequestsOptions<Row, Value>, 'endpoint' | 'ledger'> & {
  readonly ledger: Ledger;
};

async function askByChat<Row, Value>(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  { endpoint, field, stage }: Question<Row, Value>,
  request: AskRequest<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  return await useEndpoint(deps, pools, endpoint, field, async ({ endpoint: model, listeners }) => {
    let gone = false;
    const onState = (state: EndpointState): void => {
      if (state.kind === 'gone') {
        gone = true;
        run.progress(stage, {
          state: 'paused',
          note: `paused: ${endpoint.model} is gone: ${state.problem}`,
        });
      } else if (gone) {
        gone = false;
        run.progress(stage, { state: 'running', note: `${endpoint.model} is back` });
      }
    };
    onState(model.state());
    listeners.add(onState);
    try {
      return await runRequests({ ...request, endpoint: model });
    } catch (error) {
      // It was waited for as long as the recipe says: another attempt would only wait anew.
      if (error instanceof SecpiError && error.code === 'ENDPOINT_UNREACHABLE')
        throw new SecpiError('ENDPOINT_GONE', `${error.problem} (for ${endpoint.maxOutageHours} h)`, {
          field,
          cause: error,
        });
      throw error;
    } finally {
      listeners.delete(onState);
    }
  });
}

async function askInBatches<Row, Value>(
  { store, environment }: Deps,
  run: ActivityRun,
  { endpoint, field, promptVersion }: Question<Row, Value>,
  request: AskRequest<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  const { apiKeyEnv, model, tokenLimitField, sampling } = endpoint;
  const apiKey = readApiKey(apiKeyEnv, environment, field);
  const baseUrl = baseUrlOf(endpoint, field, environment);
  const timeoutMs = endpoint.timeoutSeconds * 1000;
  const key = apiKey === undefined ? {} : { apiKey };
  return await runBatchRequests({
    ...request,
    openai: createBatchClient({ baseUrl, timeoutMs, ...key }),
    endpoint: { baseUrl, model, field, timeoutMs, ...key, ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }) },
    tokenLimitField,
    objects: store.objects,
    space: answerSpace(identityOf(endpoint, promptVersion), sampling),
    pollEveryMs: endpoint.batchPollSeconds * 1000,
    run: run.owner.workflowId,
    cancelRemote: () => run.isCancelled(),
    // What the provider's job does is told in place of a count that stands still for hours.
    onProgress: () => run.beat(),
    onState: (text) => run.beat(text),
  });
}

/** Throws PRICE_UNKNOWN where a budget is to be kept. */
function pricedBy(
  { environment }: Deps,
  endpoint: Endpoint,
  field: string,
  budget: BudgetHolder | null,
): ReturnType<typeof priceOf> {
  const priced = priceOf(endpoint, baseUrlOf(endpoint, field, environment));
  if (priced.price === null && budget !== null) {
    throw new SecpiError('PRICE_UNKNOWN', `no price is known of ${endpoint.model}.`, {
      field: `${field}.priceUsdPerMillionTokens`,
    });
  }
  return priced;
}

/** At the end of a stage: the few-second segments that it flushed become few large ones, so that the next opens fast. */
export async function tidyLedger(
  deps: Deps,
  pools: AskPools,
  endpoint: Endpoint,
  promptVersion: string,
): Promise<void> {
  await useLedger(deps, pools, endpoint, promptVersion, async (ledger) => {
    await ledger.flush();
    await ledger.compact();
  });
}

/** What has been paid of this model before, in a sentence: another prompt version or sampling shares no answers. */
export async function knowledgeOf(
  { objects }: Deps['store'],
  endpoint: Endpoint,
  promptVersion: string,
): Promise<string> {
  const { model, revision, sampling } = endpoint;
  const space = answerSpace(identityOf(endpoint, promptVersion), sampling);
  const spaces = (await listSpaces(objects)).filter(
    ({ identity }) => identity.model === model && identity.revision === revision,
  );
  if (spaces.some((known) => known.space === space))
    return `answers of ${model} to prompt ${promptVersion} are in the ledger: what they cover is not paid again`;
  const others = [...new Set(spaces.map(({ identity }) => identity.promptVersion))];
  if (others.length === 0) return `no answers of ${model} are in the ledger yet`;
  return `prompt ${promptVersion} of ${model} with this sampling is new: everything is paid anew (the ledger has ${others.join(', ')})`;
}

/** A row that got no usable answer, for the dead-letter part. */
export function deadLetterOf(row: TaskRow, { problem }: SecpiError): DeadLetter {
  return { index: row.index, id: row.id, reason: problem, excerpt: row.task.slice(0, 500) };
}
