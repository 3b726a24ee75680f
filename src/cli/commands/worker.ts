/** `secpi worker [KINDS…]`: a worker in the foreground, on the running stack or on the user's cluster. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { exitCodes } from '../exit.ts';
import { userCluster } from '../session.ts';
import { readSettings } from '../settings.ts';
import { readCredentials } from '../stack/credentials.ts';
import { findStack, workerEnvironment } from '../stack/stack.ts';
import { StackError } from '../stack/stackError.ts';
import { statePaths } from '../stack/stackState.ts';
import { ensureTools } from '../tools.ts';
import { workerArguments } from '../../workers/command.ts';

export async function worker(kinds: readonly string[]): Promise<number> {
  const settings = readSettings(process.env);
  const state = (await findStack(settings.state)) ?? userCluster(settings);
  if (state === null) {
    throw new StackError(
      'No stack is running.',
      'Start one with `npx secpi up`, or name yours by TEMPORAL_ADDRESS and AWS_ENDPOINT_URL_S3.',
    );
  }
  const tools = ensureTools(settings.root, settings.env);
  const credentials = state.s3.embedded
    ? await readCredentials(statePaths(settings.state).credentials)
    : null;
  const child = spawn(tools.node, workerArguments(settings.root, kinds), {
    cwd: settings.root,
    env: workerEnvironment(settings, tools, state, credentials),
    stdio: 'inherit',
  });
  // The worker hands over and ends; on a terminal it gets Ctrl-C by itself.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'exit');
  return code === 0 ? exitCodes.ok : exitCodes.stackTrouble;
}
