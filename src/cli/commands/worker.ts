/** `secpi worker [KINDS…]`: a worker in the foreground, on the running stack or on the user's cluster. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { exitCodes } from '../exit.ts';
import { requireStack } from '../session.ts';
import { readSettings } from '../settings.ts';
import { readCredentials } from '../stack/credentials.ts';
import { workerEnvironment } from '../stack/stack.ts';
import { statePaths } from '../stack/stackState.ts';
import { ensureTools } from '../tools.ts';
import { parseWorkerArguments } from '../../workers/arguments.ts';
import { workerArguments } from '../../workers/command.ts';

export interface WorkerFlags {
  readonly class?: string;
  readonly slots?: string;
  readonly idleExit?: string;
}

export async function worker(kinds: readonly string[], flags: WorkerFlags): Promise<number> {
  const args = [...kinds, ...flagArguments(flags)];
  // Refused here, before anything is installed or started.
  parseWorkerArguments(args);
  const settings = readSettings(process.env);
  const state = await requireStack(settings);
  const tools = ensureTools(settings.root, settings.env);
  const credentials = state.s3.embedded
    ? await readCredentials(statePaths(settings.state).credentials)
    : null;
  const child = spawn(tools.node, workerArguments(settings.root, args), {
    cwd: settings.root,
    env: workerEnvironment(settings, tools, state, credentials),
    stdio: 'inherit',
  });
  // The worker hands over and ends; on a terminal it gets Ctrl-C by itself.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  // Ended by a signal, it has no code of its own.
  return code ?? exitCodes.stackTrouble;
}

function flagArguments({ class: gpuClass, slots, idleExit }: WorkerFlags): string[] {
  const flag = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`--${name}`, value];
  return [...flag('class', gpuClass), ...flag('slots', slots), ...flag('idle-exit', idleExit)];
}
