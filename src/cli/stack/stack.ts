/**
 * The embedded stack: Temporal, S3, the recorded teacher and a worker, started in this order, ended in the reverse.
 * What the user brings is not started.
 */
import { mkdir } from 'node:fs/promises';
import { defaultNamespace, embeddedS3, type Settings } from '../settings.ts';
import type { Tools } from '../tools.ts';
import { ensureCredentials, type Credentials } from './credentials.ts';
import { workerVariables } from '../../workers/command.ts';
import { teacherService, workerService } from './nodeServices.ts';
import { takeOwnership } from './ownership.ts';
import { freePort } from './ports.ts';
import { identify, isAlive } from './processIdentity.ts';
import { reap } from './reap.ts';
import { s3Server } from './s3Server.ts';
import { startService, type Service, type ServiceEvent, type ServiceSpec } from './service.ts';
import { StackError } from './stackError.ts';
import { readStackState, statePaths, writeStackState, type StackState } from './stackState.ts';
import { temporalServer } from './temporalServer.ts';

/** Temporal's own defaults, so that the plain `temporal` command finds the server. */
const TEMPORAL_PORT = 7233;
const UI_PORT = 8233;
const S3_PORT = 7480;
const TEACHER_PORT = 7490;
/** Whoever waits longer than this for the end is told what for. */
const PATIENCE_MS = 2000;

export interface StackOptions {
  readonly settings: Settings;
  readonly tools: Tools;
  /** A line for the person at the terminal. */
  readonly say: (line: string) => void;
  /** False: the user starts workers himself. */
  readonly withWorker: boolean;
  /** Gives up starting; what was started is ended. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  readonly state: StackState;
  stop(): Promise<void>;
}

/** The running stack of this state folder, or null. */
export async function findStack(state: string): Promise<StackState | null> {
  const known = await readStackState(state);
  return known !== null && known.ready && isAlive(known.owner) ? known : null;
}

/** Throws StackError when one runs already, or when a part does not come up; what was started is ended then. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { settings, say } = options;
  const ownership = await takeOwnership(statePaths(settings.state).lock);
  if (ownership === null) {
    throw new StackError(
      `A stack runs already on ${settings.state}.`,
      'Use it, end it with Ctrl-C where it runs, or name another folder by SECPI_STATE.',
    );
  }
  const services: Service[] = [];
  let recorder: Recorder | null = null;
  const stop = async (): Promise<void> => {
    // The worker first, so that it can still say goodbye to Temporal and save to S3.
    for (const service of services.toReversed()) {
      const waiting = setTimeout(
        () => say(`Waiting for the ${service.name} to save and hand over …`),
        PATIENCE_MS,
      );
      await service.stop();
      clearTimeout(waiting);
    }
    await recorder?.ended();
    await ownership.release();
  };
  try {
    const before = await readStackState(settings.state);
    const left = before === null ? 0 : await reap(before.processes);
    if (left > 0)
      say(`Ended ${left} process${left === 1 ? '' : 'es'} that an interrupted stack had left running.`);
    const state = await planState(settings, before);
    recorder = recordState(settings.state, state, say);
    for (const spec of await planServices(options, state))
      services.push(await startService(spec, recorder.onEvent, options.signal));
    await recorder.ready();
    return { state: recorder.current(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ports of the last time are kept where they are free, so that URLs stay good. */
async function planState(settings: Settings, before: StackState | null): Promise<StackState> {
  const owner = identify(process.pid);
  if (owner === null) throw new StackError('/proc cannot be read.', 'Run on Linux with /proc mounted.');
  const taken = new Set<number>();
  const pick = async (preferred: number): Promise<number> => {
    const port = await freePort(preferred, taken);
    taken.add(port);
    return port;
  };
  const { temporal, s3, teacherUrl } = settings;
  return {
    version: 1,
    owner,
    startedAt: new Date().toISOString(),
    ready: false,
    temporal:
      temporal === null
        ? {
            address: `127.0.0.1:${await pick(TEMPORAL_PORT)}`,
            namespace: defaultNamespace,
            uiUrl: `http://127.0.0.1:${await pick(UI_PORT)}`,
            embedded: true,
          }
        : { address: temporal.address, namespace: temporal.namespace, uiUrl: null, embedded: false },
    s3:
      s3 === null
        ? {
            endpoint: `http://127.0.0.1:${await pick(before?.s3.embedded === true ? portOf(before.s3.endpoint) : S3_PORT)}`,
            ...embeddedS3,
            embedded: true,
          }
        : { ...s3, embedded: false },
    teacherUrl: teacherUrl ?? `http://127.0.0.1:${await pick(TEACHER_PORT)}/v1`,
    processes: [],
  };
}

async function planServices(
  { settings, tools, withWorker }: StackOptions,
  state: StackState,
): Promise<ServiceSpec[]> {
  const paths = statePaths(settings.state);
  await mkdir(paths.work, { recursive: true });
  const credentials = state.s3.embedded ? await ensureCredentials(paths.credentials) : null;
  const shared = { node: tools.node, root: settings.root };
  const specs: ServiceSpec[] = [];
  if (state.temporal.embedded) {
    specs.push(
      temporalServer({
        program: tools.temporal,
        port: portOf(`http://${state.temporal.address}`),
        uiPort: portOf(state.temporal.uiUrl ?? ''),
        namespace: state.temporal.namespace,
        dbFile: paths.temporalDb,
        cwd: settings.state,
        log: paths.log('temporal'),
        env: settings.env,
      }),
    );
  }
  if (credentials !== null) {
    specs.push(
      s3Server({
        program: tools.versitygw,
        port: portOf(state.s3.endpoint),
        region: state.s3.region,
        bucket: state.s3.bucket,
        credentials,
        dataFolder: paths.s3Data,
        versionsFolder: paths.s3Versions,
        log: paths.log('s3'),
        env: settings.env,
      }),
    );
  }
  if (settings.teacherUrl === null) {
    specs.push(
      teacherService({
        ...shared,
        port: portOf(state.teacherUrl),
        log: paths.log('teacher'),
        env: settings.env,
      }),
    );
  }
  if (withWorker) {
    specs.push(
      workerService({
        ...shared,
        log: paths.log('worker'),
        env: workerEnvironment(settings, tools, state, credentials),
      }),
    );
  }
  return specs;
}

/** What `src/workers/main.ts` reads. The user's own variables go along: recipes name keys by them. */
export function workerEnvironment(
  settings: Settings,
  tools: Tools,
  state: StackState,
  credentials: Credentials | null,
): NodeJS.ProcessEnv {
  // A profile of the Temporal CLI belongs to the user's cluster, not to the embedded one.
  const inherited = Object.entries(settings.env).filter(
    ([name]) => !state.temporal.embedded || !name.startsWith('TEMPORAL_'),
  );
  return {
    ...workerVariables(tools.cache),
    ...Object.fromEntries(inherited),
    TEMPORAL_ADDRESS: state.temporal.address,
    TEMPORAL_NAMESPACE: state.temporal.namespace,
    AWS_ENDPOINT_URL_S3: state.s3.endpoint,
    AWS_REGION: state.s3.region,
    ...(credentials === null
      ? {}
      : { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey }),
    SECPI_BUCKET: state.s3.bucket,
    SECPI_CACHE: tools.cache,
    SECPI_PYTHON: tools.python,
    SECPI_TEACHER_URL: state.teacherUrl,
    SECPI_STATE: statePaths(settings.state).work,
  };
}

interface Recorder {
  readonly onEvent: (event: ServiceEvent) => void;
  ready(): Promise<void>;
  /** Nothing runs any more; the ports stay for the next time. */
  ended(): Promise<void>;
  current(): StackState;
}

/** Keeps `stack.json` true while processes come and go: whoever comes after a kill finds them there. */
function recordState(stateFolder: string, initial: StackState, say: (line: string) => void): Recorder {
  let state = initial;
  let writing = Promise.resolve();
  const change = (next: StackState): void => {
    state = next;
    writing = writing.then(() => writeStackState(stateFolder, next));
  };
  return {
    onEvent(event) {
      switch (event.kind) {
        case 'started': {
          const others = state.processes.filter(({ name }) => name !== event.name);
          change({
            ...state,
            processes: [
              ...others,
              { ...event.process, name: event.name, log: statePaths(stateFolder).log(event.name) },
            ],
          });
          return;
        }
        case 'died':
          say(
            `${event.name} ${event.how}; starting it again in ${event.againInMs / 1000} s (log: ${statePaths(stateFolder).log(event.name)})`,
          );
          return;
        case 'recovered':
          say(`${event.name} is up again.`);
          return;
      }
    },
    async ready() {
      change({ ...state, ready: true });
      await writing;
    },
    current: () => state,
    async ended() {
      change({ ...state, ready: false, processes: [] });
      await writing;
    },
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
