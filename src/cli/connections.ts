/** Clients of the cluster and the store that a stack's state describes. */
import { Client, Connection } from '@temporalio/client';
import { SecpiError } from '../contract/errors.ts';
import { openStore, type Store } from '../services/store/index.ts';
import type { Settings } from './settings.ts';
import { readCredentials } from './stack/credentials.ts';
import { StackError } from './stack/stackError.ts';
import { statePaths, type StackState } from './stack/stackState.ts';
import { missingSearchAttributes } from './stack/temporalServer.ts';

export interface Cluster {
  readonly client: Client;
  readonly connection: Connection;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Throws StackError when the cluster does not answer or lacks the namespace. */
export async function connectCluster(
  settings: Settings,
  { temporal }: Pick<StackState, 'temporal'>,
): Promise<Cluster> {
  const options = settings.temporal?.connectionOptions ?? { address: temporal.address };
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...options, connectTimeout: CONNECT_TIMEOUT_MS });
  } catch (cause) {
    throw new StackError(
      `Temporal does not answer at ${temporal.address}.`,
      'Correct TEMPORAL_ADDRESS or the profile, or unset it to use the embedded server.',
      { cause },
    );
  }
  try {
    await connection.workflowService.describeNamespace({ namespace: temporal.namespace });
  } catch (cause) {
    await connection.close();
    throw new StackError(
      `The namespace "${temporal.namespace}" of ${temporal.address} is not usable: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Name another by TEMPORAL_NAMESPACE, or create it: temporal operator namespace create --namespace NAME',
      { cause },
    );
  }
  return {
    connection,
    client: new Client({ connection, namespace: temporal.namespace }),
    close: async () => await connection.close(),
  };
}

/**
 * Before anything is started: does the user's own cluster answer? Returns a line of warning when its namespace lacks
 * search attributes; everything else works without them. Throws StackError.
 */
export async function checkUserCluster(settings: Settings): Promise<string | null> {
  if (settings.temporal === null) return null;
  const { address, namespace } = settings.temporal;
  const temporal = { address, namespace, uiUrl: null, embedded: false };
  const cluster = await connectCluster(settings, { temporal });
  try {
    const missing = await missingSearchAttributes(cluster.connection, namespace);
    if (missing.length === 0) return null;
    return `Warning: the namespace "${namespace}" lacks the search attributes ${missing.join(', ')}: runs cannot be searched by them. Remedy: npx secpi doctor prints the command that adds them.`;
  } finally {
    await cluster.close();
  }
}

/** Opens the store and checks that it answers. Throws STORE_UNAVAILABLE, STORE_ACCESS_DENIED, BUCKET_MISSING. */
export async function connectStore(settings: Settings, { s3 }: Pick<StackState, 's3'>): Promise<Store> {
  const credentials = s3.embedded ? await readCredentials(statePaths(settings.state).credentials) : null;
  if (s3.embedded && credentials === null)
    throw new SecpiError('STORE_ACCESS_DENIED', 'the embedded store has no credentials file.');
  const store = openStore({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: s3.bucket,
    ...(credentials === null ? {} : { credentials }),
  });
  await store.objects.ensureBucket();
  return store;
}
