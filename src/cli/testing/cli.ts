/** Runs the real `secpi` command in a process of its own, for the tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessIdentity } from '../stack/processIdentity.ts';
import { isAlive } from '../stack/processIdentity.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const POLL_MS = 50;

/** Disposing ends it in order. */
export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Resolves when the text was printed; fails when the process ends before. */
  printed(text: string | RegExp, timeoutMs?: number): Promise<void>;
  /** The exit code; a signal's number plus 128. */
  readonly exit: Promise<number>;
}

/** The user's own clusters do not belong into the tests. */
function cleanEnvironment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(?:TEMPORAL_|AWS_|SECPI_(?:STATE|BUCKET|TEACHER_URL))/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

export function startCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd: string = process.cwd(),
): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  let ended = false;
  const exit = once(child, 'close').then(([code, signal]) => {
    ended = true;
    return typeof code === 'number' ? code : signal === 'SIGKILL' ? 137 : 143;
  });
  return {
    child,
    output: () => text,
    exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
    },
    async printed(wanted, timeoutMs = 60_000) {
      const found = (): boolean => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
      const deadline = Date.now() + timeoutMs;
      while (!found()) {
        if (ended || Date.now() > deadline)
          throw new Error(`not printed: ${String(wanted)}; printed:\n${text}`);
        await sleep(POLL_MS);
      }
    },
  };
}

export async function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; output: string }> {
  const cli = startCli(args, env);
  const code = await cli.exit;
  return { code, output: cli.output() };
}

/** A folder that goes at the end of the test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'secpi-cli-'));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

/** Waits until none of the processes lives; returns those that still do at the deadline. */
export async function survivors(
  processes: readonly ProcessIdentity[],
  timeoutMs: number,
): Promise<ProcessIdentity[]> {
  const deadline = Date.now() + timeoutMs;
  while (processes.some(isAlive) && Date.now() < deadline) await sleep(POLL_MS);
  return processes.filter(isAlive);
}
