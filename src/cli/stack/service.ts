/**
 * One child process of the stack: started, watched until it serves, started again with back-off when it dies, ended
 * with its whole group. Where `setpriv` is there it is also ended by the kernel when this process dies.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, signalGroup, signalProcess, type ProcessIdentity } from './processIdentity.ts';
import { StackError } from './stackError.ts';

export interface ServiceSpec {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: string;
  /** The signal that the kernel sends when the owner dies: KILL, or TERM where the service has children to end. */
  readonly onOwnerDeath: 'TERM' | 'KILL';
  readonly readyTimeoutMs: number;
  /** How long it may take to end after SIGTERM before it is killed. */
  readonly stopTimeoutMs: number;
  /** Runs before every start. */
  prepare?(): Promise<void>;
  /** Does it serve? `logSince` is what this start has written to the log. */
  isReady(logSince: () => string): Promise<boolean>;
}

export type ServiceEvent =
  | { readonly kind: 'started'; readonly name: string; readonly process: ProcessIdentity }
  | { readonly kind: 'died'; readonly name: string; readonly how: string; readonly againInMs: number }
  | { readonly kind: 'recovered'; readonly name: string };

export interface Service {
  readonly name: string;
  stop(): Promise<void>;
}

const SETPRIV = '/usr/bin/setpriv';
const POLL_MS = 100;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Up for this long, a service counts as healthy and its next death starts with the short delay. */
const HEALTHY_AFTER_MS = 60_000;
const LOG_LIMIT_BYTES = 20_000_000;
const TAIL_LINES = 20;

interface Running {
  readonly pid: number;
  /** How it ended. */
  readonly exit: Promise<string>;
  /** The same, once it has; null before. */
  ended(): string | null;
  readonly logSince: () => string;
}

/**
 * Resolves when the service serves. Throws StackError with the tail of its log when it does not in time, and the
 * signal's reason when aborted meanwhile; nothing is left running then.
 */
export async function startService(
  spec: ServiceSpec,
  onEvent: (event: ServiceEvent) => void,
  signal?: AbortSignal,
): Promise<Service> {
  let running: Running | null = null;
  const stopping = new AbortController();

  async function launch(): Promise<Running> {
    await spec.prepare?.();
    const started = spawnService(spec);
    running = started;
    const process = identify(started.pid);
    if (process !== null) onEvent({ kind: 'started', name: spec.name, process });
    try {
      await waitUntilReady(spec, started, [signal, stopping.signal]);
    } catch (error) {
      await end(started, 0);
      throw error;
    }
    return started;
  }

  async function watch(first: Running): Promise<void> {
    let delayMs = FIRST_DELAY_MS;
    let current: Running | null = first;
    while (!stopping.signal.aborted) {
      const upSince = Date.now();
      let how = 'did not come up';
      if (current !== null) {
        how = await current.exit;
        // What it left behind in its group would hold the port.
        signalGroup(current.pid, 'SIGKILL');
      }
      if (stopping.signal.aborted) return;
      delayMs =
        Date.now() - upSince > HEALTHY_AFTER_MS ? FIRST_DELAY_MS : Math.min(delayMs * 2, LONGEST_DELAY_MS);
      onEvent({ kind: 'died', name: spec.name, how, againInMs: delayMs });
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        current = await launch();
        onEvent({ kind: 'recovered', name: spec.name });
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (!(error instanceof StackError)) throw error;
        current = null;
      }
    }
  }

  const watching = watch(await launch());
  return {
    name: spec.name,
    async stop() {
      stopping.abort(new Error(`${spec.name} is being stopped`));
      if (running !== null) await end(running, spec.stopTimeoutMs);
      await watching;
    },
  };
}

function spawnService(spec: ServiceSpec): Running {
  mkdirSync(dirname(spec.log), { recursive: true });
  if (existsSync(spec.log) && statSync(spec.log).size > LOG_LIMIT_BYTES)
    renameSync(spec.log, `${spec.log}.1`);
  const output = openSync(spec.log, 'a');
  const offset = statSync(spec.log).size;
  const guarded = existsSync(SETPRIV)
    ? [SETPRIV, '--pdeathsig', spec.onOwnerDeath, '--', ...spec.command]
    : [...spec.command];
  const [program = '', ...args] = guarded;
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  let ended: string | null = null;
  const exit = once(child, 'exit')
    .then(
      ([code, signal]) =>
        signal === null ? `ended with code ${String(code)}` : `was ended by ${String(signal)}`,
      (error: unknown) => `did not start: ${String(error)}`,
    )
    .then((how) => (ended = how));
  if (child.pid === undefined)
    throw new StackError(`${spec.name} did not start: ${spec.command[0]}`, 'Run `npx secpi setup`.');
  return {
    pid: child.pid,
    exit,
    ended: () => ended,
    logSince: () => readFileSync(spec.log).subarray(offset).toString('utf8'),
  };
}

async function waitUntilReady(
  spec: ServiceSpec,
  running: Running,
  signals: readonly (AbortSignal | undefined)[],
): Promise<void> {
  const deadline = Date.now() + spec.readyTimeoutMs;
  while (running.ended() === null && Date.now() < deadline) {
    for (const signal of signals) signal?.throwIfAborted();
    if (await spec.isReady(running.logSince)) return;
    await sleep(POLL_MS);
  }
  const what = running.ended() ?? `did not answer within ${spec.readyTimeoutMs / 1000} s`;
  const tail = running
    .logSince()
    .trimEnd()
    .split('\n')
    .slice(-TAIL_LINES)
    .map((line) => `  | ${line}`)
    .join('\n');
  throw new StackError(
    `${spec.name} ${what}. The end of its log:\n${tail}`,
    `Look at the whole log: ${spec.log}`,
  );
}

/** SIGTERM, then after the time SIGKILL; then whatever is left of the group. */
async function end(running: Running, timeoutMs: number): Promise<void> {
  const gone = running.exit.then(() => true);
  if (timeoutMs > 0) {
    signalProcess(running.pid, 'SIGTERM');
    await Promise.race([gone, sleep(timeoutMs, false, { ref: false })]);
  }
  signalGroup(running.pid, 'SIGKILL');
  await gone;
}
