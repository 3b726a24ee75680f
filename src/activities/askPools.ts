/** What the shards of a process share when they ask: one queue an endpoint, one ledger a space, one purse a budget. */
import type { Endpoint } from '../contract/recipe.ts';
import type { BudgetHolder } from '../contract/workflows.ts';
import { openPurse, type OpenPurse } from '../services/budget/purse.ts';
import { openEndpoint, type EndpointState, type ModelEndpoint } from '../services/llm/endpoint.ts';
import { openLedger, type Ledger } from '../services/llm/ledger.ts';
import { readApiKey } from '../services/llm/preflight.ts';
import { priceOf, priceOfFallback } from '../services/llm/price.ts';
import { answerSpace, type AnswerIdentity } from '../services/llm/requestKey.ts';
import { addressesOf, baseUrlOf } from './addresses.ts';
import { temporalBank } from './bank.ts';
import { answersDir, tranchesDir, type Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';
import { createSharedPool, type SharedPool } from './sharedPool.ts';

export function identityOf(endpoint: Endpoint, promptVersion: string): AnswerIdentity {
  return { model: endpoint.model, revision: endpoint.revision, promptVersion };
}

interface SharedEndpoint {
  readonly endpoint: ModelEndpoint;
  /** Whoever wants to be told how it fares. */
  readonly listeners: Set<(state: EndpointState) => void>;
}

export interface AskPools {
  readonly endpoints: SharedPool<SharedEndpoint>;
  readonly ledgers: SharedPool<Ledger>;
  readonly purses: SharedPool<OpenPurse>;
  /** Something that passes: answers wait on this disk for the store, a budget's holder does not answer. */
  readonly onTrouble: (error: unknown) => void;
  close(): Promise<void>;
}

const LINGER_MS = 20_000;

export function createAskPools(onTrouble: (error: unknown) => void): AskPools {
  const options = { lingerMs: LINGER_MS, onCloseError: onTrouble };
  const endpoints = createSharedPool<SharedEndpoint>(async ({ endpoint }) => await endpoint.close(), options);
  const ledgers = createSharedPool<Ledger>(async (ledger) => await ledger.close(), options);
  const purses = createSharedPool<OpenPurse>(async (purse) => await purse.close(), options);
  return {
    endpoints,
    ledgers,
    purses,
    onTrouble,
    close: async () => {
      await Promise.all([endpoints.close(), ledgers.close(), purses.close()]);
    },
  };
}

/** The ledger of a model under a prompt, shared with the shards that ask it. */
export async function useLedger<T>(
  { store, paths }: Deps,
  pools: AskPools,
  endpoint: Endpoint,
  promptVersion: string,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const identity = identityOf(endpoint, promptVersion);
  const space = answerSpace(identity, endpoint.sampling);
  return await pools.ledgers.use(
    space,
    async () =>
      await openLedger({
        objects: store.objects,
        space,
        identity: { ...identity, sampling: endpoint.sampling },
        localDir: answersDir(paths),
        onFlushError: pools.onTrouble,
      }),
    work,
  );
}

export async function useEndpoint<T>(
  { environment }: Deps,
  pools: AskPools,
  endpoint: Endpoint,
  field: string,
  work: (shared: SharedEndpoint) => Promise<T>,
): Promise<T> {
  const { sampling: _, revision: __, ...key } = endpoint;
  return await pools.endpoints.use(
    JSON.stringify(key),
    async () => {
      const listeners: SharedEndpoint['listeners'] = new Set();
      const opened = openEndpoint({
        addresses: addressesOf(endpoint, field).map(({ address, fallback, model, at }) => {
          const apiKey = readApiKey(address.apiKeyEnv, environment, at);
          const baseUrl = baseUrlOf(address, at, environment);
          const { price } =
            fallback === null
              ? priceOf(endpoint, baseUrl)
              : priceOfFallback(endpoint, fallback, { fallback: baseUrl });
          return {
            baseUrl,
            model,
            ...(price === null ? {} : { price }),
            ...(address.apiKeyEnv === undefined ? {} : { apiKeyEnv: address.apiKeyEnv }),
            ...(apiKey === undefined ? {} : { apiKey }),
          };
        }),
        concurrency: endpoint.concurrency,
        limits: endpoint.limits,
        timeoutMs: endpoint.timeoutSeconds * 1000,
        maxOutageMs: endpoint.maxOutageHours * 3_600_000,
        tokenLimitField: endpoint.tokenLimitField,
        field,
        onState: (state) => {
          for (const tell of listeners) tell(state);
        },
      });
      return { endpoint: opened, listeners };
    },
    work,
  );
}

export async function usePurse<T>(
  { paths }: Deps,
  pools: AskPools,
  run: ActivityRun,
  holder: BudgetHolder | null,
  work: (purse: OpenPurse | undefined) => Promise<T>,
): Promise<T> {
  if (holder === null) return await work(undefined);
  return await pools.purses.use(
    // A run that is started again under its id has a budget of its own.
    `${run.owner.namespace}\n${holder.workflowId}\n${holder.runId}`,
    async () =>
      await openPurse({
        bank: temporalBank(run.client, holder),
        holder: { ...holder, namespace: run.owner.namespace },
        dir: tranchesDir(paths),
        onTrouble: (error) => {
          pools.onTrouble(error);
          run.beat(`the budget of ${holder.workflowId} does not answer`);
        },
      }),
    work,
  );
}
