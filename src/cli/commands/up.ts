/** `secpi up`: the stack in the foreground. */
import { join } from 'node:path';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { checkUserCluster, connectStore } from '../connections.ts';
import { readSettings } from '../settings.ts';
import { startStack } from '../stack/stack.ts';
import type { StackState } from '../stack/stackState.ts';
import { ensureTools } from '../tools.ts';

export async function up(options: { readonly worker: boolean; readonly json: boolean }): Promise<number> {
  const say = (line: string): void =>
    void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const settings = readSettings(process.env);
  const warning = await checkUserCluster(settings);
  if (warning !== null) say(warning);
  const tools = ensureTools(settings.root, settings.env);
  const interruption = watchInterrupts(() => say('\nStopping … (Ctrl-C again ends at once)'));
  const stack = await startStack({
    settings,
    tools,
    say,
    signal: interruption.signal,
    withWorker: options.worker,
  });
  try {
    (await connectStore(settings, stack.state)).objects.close();
    say(
      `The stack is up. State: ${settings.state}\n${stackHints(stack.state)}\n\nTemporal CLI: ${tools.temporal}`,
    );
    say(
      `  temporal workflow start --type secpi --task-queue secpi --workflow-id mine --input-file ${join('recipes', 'quick.json')}`,
    );
    say('  temporal workflow query --workflow-id mine --type progress\n');
    if (options.json) {
      const { temporal, s3, teacherUrl, processes } = stack.state;
      const ready = { event: 'ready', state: settings.state, temporal, s3, teacherUrl, processes };
      process.stdout.write(`${JSON.stringify(ready)}\n`);
    }
    await interruption.requested.catch(() => undefined);
  } finally {
    await stack.stop();
    interruption.dispose();
  }
  return exitCodes.interrupted;
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';

export function stackHints({ temporal, s3, teacherUrl, processes }: StackState): string {
  const lines = [
    `  Temporal   ${temporal.address}, namespace ${temporal.namespace}${temporal.embedded ? '' : ' (yours)'}`,
    ...(temporal.uiUrl === null ? [] : [`  UI         ${temporal.uiUrl}`]),
    `  S3         ${s3.endpoint}, bucket ${s3.bucket}${s3.embedded ? '' : ' (yours)'}`,
    ...(teacherUrl === '' ? [] : [`  Teacher    ${teacherUrl}`]),
    ...processes.map(({ name, pid, log }) => `  ${name.padEnd(10)} pid ${pid}, log ${log}`),
  ];
  if (temporal.embedded && temporal.address !== DEFAULT_ADDRESS) {
    lines.push(
      `  Port 7233 was taken. For the temporal command: export TEMPORAL_ADDRESS=${temporal.address}`,
    );
  }
  return lines.join('\n');
}
