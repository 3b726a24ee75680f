/** The stack's own processes: the recorded teacher and the worker. Each says `{"event":"ready"}` when it serves. */
import { programPath, workerArguments } from '../../workers/command.ts';
import type { ServiceSpec } from './service.ts';

const TEACHER_READY_MS = 30_000;
const TEACHER_STOP_MS = 5000;
/** Bundling the workflows and probing the store take a few seconds; more on a busy machine. */
const WORKER_READY_MS = 120_000;
/** The worker's own limit for saving and handing over is 130 s; usually it takes a few. */
const WORKER_STOP_MS = 140_000;

export interface NodeServiceOptions {
  readonly node: string;
  readonly root: string;
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
}

export function teacherService(options: NodeServiceOptions & { readonly port: number }): ServiceSpec {
  return {
    name: 'teacher',
    command: [
      options.node,
      programPath(options.root, 'src/cli/main'),
      'teacher',
      '--port',
      String(options.port),
    ],
    cwd: options.root,
    env: options.env,
    log: options.log,
    onOwnerDeath: 'KILL',
    readyTimeoutMs: TEACHER_READY_MS,
    stopTimeoutMs: TEACHER_STOP_MS,
    isReady: async (logSince) => saysReady(logSince()),
  };
}

export function workerService(options: NodeServiceOptions): ServiceSpec {
  return {
    name: 'worker',
    command: [options.node, ...workerArguments(options.root)],
    cwd: options.root,
    env: options.env,
    log: options.log,
    // It has trainers, model servers and sandboxes to end.
    onOwnerDeath: 'TERM',
    readyTimeoutMs: WORKER_READY_MS,
    stopTimeoutMs: WORKER_STOP_MS,
    isReady: async (logSince) => saysReady(logSince()),
  };
}

function saysReady(log: string): boolean {
  return log.split('\n').some((line) => {
    if (!line.startsWith('{')) return false;
    try {
      const parsed: unknown = JSON.parse(line);
      return typeof parsed === 'object' && parsed !== null && Reflect.get(parsed, 'event') === 'ready';
    } catch {
      // A log line that only begins like JSON.
      return false;
    }
  });
}
