/** `secpi runs follow ID`: any run, from any terminal, to its end. */
import { resolve } from 'node:path';
import { exitCodes } from '../exit.ts';
import { describeEnd, followToReport } from '../followToReport.ts';
import { watchInterrupts } from '../interrupt.ts';
import { findRun } from '../runs/find.ts';
import { openSession } from '../session.ts';
import { readSettings } from '../settings.ts';

export async function followRun(
  workflowId: string,
  options: { readonly out: string; readonly json: boolean },
): Promise<number> {
  const settings = readSettings(process.env);
  const progress = options.json ? process.stderr : process.stdout;
  const say = (line: string): void => void progress.write(`${line}\n`);
  const interruption = watchInterrupts(() => say('No longer following; the run goes on.'));
  const session = await openSession({ settings, say, interruption, stack: 'use' });
  try {
    const { client } = session.cluster;
    const { runId, type } = await findRun(client, workflowId);
    say(`${type} ${workflowId}`);
    const handle = client.workflow.getHandle(workflowId, runId);
    const started = { handle, workflowId, runId };
    const out = resolve(options.out);
    const ended = await followToReport(session, started, { interruption, out, progress });
    if (options.json) {
      const { result, results, url } = ended;
      process.stdout.write(
        `${JSON.stringify({ workflowId, runId, url, files: results?.files ?? null, result })}\n`,
      );
    } else say(describeEnd(ended));
    return exitCodes.ok;
  } finally {
    await session.close();
    interruption.dispose();
  }
}
