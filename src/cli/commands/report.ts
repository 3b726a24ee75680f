/** `secpi report RUN`: the three files of a finished run, checked against their hashes. */
import { SecpiError } from '../../contract/errors.ts';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { fetchResults } from '../results.ts';
import { findRun, reportFilesOf, resultOfRun } from '../runs/find.ts';
import { openSession } from '../session.ts';
import { readSettings } from '../settings.ts';

export async function report(
  workflowId: string,
  options: { readonly out: string; readonly json: boolean },
): Promise<number> {
  const settings = readSettings(process.env);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const interruption = watchInterrupts(() => undefined);
  const session = await openSession({ settings, say, interruption, stack: 'use' });
  try {
    const { client } = session.cluster;
    const run = await findRun(client, workflowId);
    const from = reportFilesOf(await resultOfRun(client, run));
    if (from === null)
      throw new SecpiError('ARTIFACT_NOT_FOUND', `the run "${workflowId}" (${run.type}) writes no report.`, {
        field: 'RUN',
        remedy: 'Name a run of secpi, evaluateModel, reevaluate or experiment that was started by itself.',
      });
    const { files } = await fetchResults(session.store, from, options.out);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ workflowId, runId: run.runId, files })}\n`
        : Object.values(files)
            .map((path) => `file://${path}\n`)
            .join(''),
    );
    return exitCodes.ok;
  } finally {
    await session.close();
    interruption.dispose();
  }
}
