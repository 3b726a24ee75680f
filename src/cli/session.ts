/** What every command that works with a cluster needs: the stack (running, the user's, or started here) and its clients. */
import { checkUserCluster, connectCluster, connectStore, type Cluster } from './connections.ts';
import type { Interruption } from './interrupt.ts';
import type { Settings } from './settings.ts';
import { identify } from './stack/processIdentity.ts';
import { findStack, startStack, type Stack } from './stack/stack.ts';
import { StackError } from './stack/stackError.ts';
import type { StackState } from './stack/stackState.ts';
import { ensureTools } from './tools.ts';
import type { Store } from '../services/store/index.ts';

export interface Session {
  readonly state: StackState;
  readonly cluster: Cluster;
  readonly store: Store;
  /** Did this process start the stack? */
  readonly ownsStack: boolean;
  /** Closes the clients and ends what this process started. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly settings: Settings;
  readonly say: (line: string) => void;
  readonly interruption: Interruption;
  /** `start`: start what is not there; `use`: refuse when nothing runs. */
  readonly stack: 'start' | 'use';
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { settings, say } = options;
  const warning = await checkUserCluster(settings);
  if (warning !== null) say(warning);
  const { state, stack } = await findOrStart(options);
  try {
    const cluster = await connectCluster(settings, state);
    const store = await connectStore(settings, state);
    return {
      state,
      cluster,
      store,
      ownsStack: stack !== null,
      async close() {
        store.objects.close();
        await stack?.stop();
        await cluster.close();
      },
    };
  } catch (error) {
    await stack?.stop();
    throw error;
  }
}

async function findOrStart({
  settings,
  say,
  interruption,
  stack,
}: SessionOptions): Promise<{ state: StackState; stack: Stack | null }> {
  if (stack === 'use') return { state: await requireStack(settings), stack: null };
  const running = await findStack(settings.state);
  if (running !== null) return { state: running, stack: null };
  const tools = ensureTools(settings.root, settings.env);
  const started = await startStack({ settings, tools, say, signal: interruption.signal, withWorker: true });
  return { state: started.state, stack: started };
}

/** The running stack, else the user's own. Throws StackError when there is neither. */
export async function requireStack(settings: Settings): Promise<StackState> {
  const found = (await findStack(settings.state)) ?? userCluster(settings);
  if (found !== null) return found;
  throw new StackError(
    'No stack is running.',
    'Start one with `npx secpi up`, or name yours by TEMPORAL_ADDRESS and AWS_ENDPOINT_URL_S3.',
  );
}

/** The user's own Temporal and S3, whose workers run elsewhere; null when one of them is missing. */
export function userCluster({ temporal, s3, teacherUrl }: Settings): StackState | null {
  const owner = identify(process.pid);
  if (temporal === null || s3 === null || owner === null) return null;
  return {
    version: 1,
    owner,
    startedAt: new Date().toISOString(),
    ready: true,
    temporal: { address: temporal.address, namespace: temporal.namespace, uiUrl: null, embedded: false },
    s3: { ...s3, embedded: false },
    teacherUrl: teacherUrl ?? '',
    processes: [],
  };
}
