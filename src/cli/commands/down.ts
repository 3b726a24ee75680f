/** `secpi down`: ends the stack of the state folder, by the process that its record names. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { readSettings } from '../settings.ts';
import { isAlive, signalProcess } from '../stack/processIdentity.ts';
import { reap } from '../stack/reap.ts';
import { readStackState } from '../stack/stackState.ts';
import { StackError } from '../stack/stackError.ts';

const POLL_MS = 100;
/** A worker takes at most 140 s to save and hand over, a server 10 s. */
const END_WITHIN_MS = 180_000;

export async function down(options: { readonly json: boolean }): Promise<number> {
  const settings = readSettings(process.env);
  const say = (line: string): void =>
    void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const interruption = watchInterrupts(() => say('No longer waiting; the stack goes on ending.'));
  try {
    const state = await readStackState(settings.state);
    const living = state?.processes.filter(isAlive) ?? [];
    const owner = state !== null && isAlive(state.owner) ? state.owner : null;
    if (owner !== null) {
      say(`Ending the stack on ${settings.state} (process ${owner.pid}): workers save and hand over first …`);
      signalProcess(owner.pid, 'SIGTERM');
      const deadline = Date.now() + END_WITHIN_MS;
      while (isAlive(owner)) {
        if (Date.now() > deadline)
          throw new StackError(
            `The process ${owner.pid} has not ended within ${END_WITHIN_MS / 1000} s.`,
            `Look at what it prints and at the logs in ${settings.state}/logs; kill -KILL ${owner.pid} ends it at once.`,
          );
        await Promise.race([sleep(POLL_MS), interruption.requested]);
      }
    }
    const left = await reap(living);
    const stopped = owner !== null || left > 0;
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ stopped, pid: owner?.pid ?? null, processes: living.map(({ name, pid }) => ({ name, pid })) })}\n`,
      );
    else if (!stopped) say(`No stack runs on ${settings.state}.`);
    else if (owner === null) say(`Ended ${left} processes that an interrupted stack had left running.`);
    else say('The stack is down.');
    return exitCodes.ok;
  } finally {
    interruption.dispose();
  }
}
