/** An endpoint of a recipe → a client, a ledger and a price on this worker. */
import { join } from 'node:path';
import { SecpiError } from '../contract/errors.ts';
import type { Endpoint } from '../contract/recipe.ts';
import type { ChatMessage, DeadLetter, TaskRow } from '../contract/rows.ts';
import type { ResponseSchema } from '../services/llm/chat.ts';
import { createChatClient, type ChatClient } from '../services/llm/client.ts';
import { openLedger, type Ledger, type LedgerAnswer } from '../services/llm/ledger.ts';
import { checkEndpoint, readApiKey } from '../services/llm/preflight.ts';
import { answerSpace, type AnswerIdentity } from '../services/llm/requestKey.ts';
import { runRequests, type RunRequestsResult } from '../services/llm/runRows.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

/** Throws ENDPOINT_VARIABLE_MISSING. */
export function baseUrlOf(endpoint: Endpoint, field: string, environment: Deps['environment']): string {
  if (endpoint.baseUrl !== undefined) return endpoint.baseUrl;
  const name = endpoint.baseUrlEnv ?? '';
  const value = environment[name]?.trim() ?? '';
  if (/^https?:\/\/\S+$/.test(value)) return value;
  const problem = value === '' ? 'is not set' : 'does not hold an http(s) URL';
  throw new SecpiError(
    'ENDPOINT_VARIABLE_MISSING',
    `the environment variable ${name} ${problem} on this worker.`,
    { field: `${field}.baseUrlEnv` },
  );
}

/** Somebody answers there and takes the key. Whether the model is known is decided by the first request: servers have aliases. */
export async function proveEndpoint(
  endpoint: Endpoint,
  field: string,
  { environment }: Deps,
  signal: AbortSignal,
): Promise<void> {
  const { apiKeyEnv, model } = endpoint;
  const baseUrl = baseUrlOf(endpoint, field, environment);
  await checkEndpoint({
    baseUrl,
    model,
    environment,
    field,
    signal,
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
  });
}

function connect(endpoint: Endpoint, field: string, { environment }: Deps): ChatClient {
  const { apiKeyEnv, model, timeoutSeconds } = endpoint;
  const apiKey = readApiKey(apiKeyEnv, environment, field);
  return createChatClient({
    baseUrl: baseUrlOf(endpoint, field, environment),
    model,
    timeoutMs: timeoutSeconds * 1000,
    field,
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    ...(apiKey === undefined ? {} : { apiKey }),
  });
}

export function identityOf(endpoint: Endpoint, promptVersion: string): AnswerIdentity {
  return { model: endpoint.model, revision: endpoint.revision, promptVersion };
}

export interface LedgerPool {
  /** The shards of a process that work in one space share one ledger; it closes with the last of them. */
  use<T>(endpoint: Endpoint, promptVersion: string, work: (ledger: Ledger) => Promise<T>): Promise<T>;
}

export function createLedgerPool({ store, paths }: Deps, onFlushError: (error: unknown) => void): LedgerPool {
  const open = new Map<string, { readonly ledger: Promise<Ledger>; users: number }>();
  return {
    use: async (endpoint, promptVersion, work) => {
      const space = answerSpace(identityOf(endpoint, promptVersion), endpoint.sampling);
      const entry = open.get(space) ?? {
        ledger: openLedger({
          objects: store.objects,
          space,
          localDir: join(paths.stateDir, 'answers'),
          onFlushError,
        }),
        users: 0,
      };
      open.set(space, entry);
      entry.users += 1;
      try {
        return await work(await entry.ledger);
      } finally {
        entry.users -= 1;
        if (entry.users === 0) {
          open.delete(space);
          // A ledger that could not open has nothing to close; the work above has thrown its reason.
          const ledger = await entry.ledger.catch(() => null);
          await ledger?.close();
        }
      }
    },
  };
}

export interface Question<Row, Value> {
  readonly endpoint: Endpoint;
  /** Path of the endpoint in the input, for errors. */
  readonly field: string;
  readonly promptVersion: string;
  /** The artefact that pays. */
  readonly fingerprint: string;
  readonly rows: readonly Row[];
  messages(row: Row): ChatMessage[];
  readonly responseSchema?: ResponseSchema;
  interpret(answer: LedgerAnswer): Value;
}

/** Asks an endpoint about every row of a shard; what the ledger has is not asked again. */
export async function askRows<Row extends { readonly id: string }, Value>(
  deps: Deps,
  ledgers: LedgerPool,
  run: ActivityRun,
  question: Question<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  const { endpoint, field, promptVersion, responseSchema } = question;
  const { sampling, concurrency, priceUsdPerMillionTokens: price } = endpoint;
  const client = connect(endpoint, field, deps);
  try {
    return await ledgers.use(
      endpoint,
      promptVersion,
      async (ledger) =>
        await runRequests({
          rows: question.rows,
          toRequest: (row) => ({
            rowId: row.id,
            index: 0,
            messages: question.messages(row),
            sampling,
            ...(responseSchema === undefined ? {} : { responseSchema }),
          }),
          interpret: (answer) => question.interpret(answer),
          identity: identityOf(endpoint, promptVersion),
          payer: question.fingerprint,
          ledger,
          client,
          concurrency,
          signal: run.signal,
          onProgress: () => run.beat(),
          ...(price === undefined ? {} : { price }),
        }),
    );
  } finally {
    client.close();
  }
}

/** A row that got no usable answer, for the dead-letter part. */
export function deadLetterOf(row: TaskRow, { problem }: SecpiError): DeadLetter {
  return { index: row.index, id: row.id, reason: problem, excerpt: row.task.slice(0, 500) };
}
