/** `secpi run RECIPE` and `secpi demo`: start (or join) a run, follow it, fetch its results. */
import { resolve } from 'node:path';
import type { Recipe } from '../../contract/recipe.ts';
import { parseRecipe } from '../../contract/parse.ts';
import { exitCodes } from '../exit.ts';
import { follow } from '../follow.ts';
import { watchInterrupts, type Interruption } from '../interrupt.ts';
import { fetchResults } from '../results.ts';
import { renderTable } from '../../services/report/table.ts';
import { formatSeconds } from '../progressLines.ts';
import { readInputFile } from '../recipeFile.ts';
import { openSession, type Session } from '../session.ts';
import { readSettings, type Settings } from '../settings.ts';
import { runUrl, startOrJoin, workflowIdOf, type StartedRun } from '../startRun.ts';
import { uploadLocal } from '../uploadLocal.ts';
import { stackHints } from './up.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

export interface RunOptions {
  readonly detach: boolean;
  readonly workflowId?: string | undefined;
  readonly out: string;
}

/** Starts on a running stack or the user's cluster. Ctrl-C stops following; the run goes on. */
export async function run(recipePath: string, options: RunOptions): Promise<number> {
  const recipe = parseRecipe(await readInputFile(recipePath));
  const settings = readSettings(process.env);
  const interruption = watchInterrupts(() => say('No longer following; the run goes on.'));
  const session = await openSession({ settings, say, interruption, stack: 'use' });
  try {
    const started = await start(session, recipe, recipePath, options.workflowId);
    announce(session, started);
    if (options.detach) return exitCodes.ok;
    return await followToTable(session, started, interruption, resolve(options.out));
  } finally {
    await session.close();
    interruption.dispose();
  }
}

export interface DemoOptions {
  readonly recipe: string;
  readonly keep: boolean;
  readonly out: string;
}

/** Uses a running stack or starts one; ends what it started, and goes on with an unfinished run next time. */
export async function demo(options: DemoOptions): Promise<number> {
  const settings = readSettings(process.env);
  const recipePath = resolve(settings.root, options.recipe);
  const recipe = parseRecipe(await readInputFile(recipePath));
  const interruption = watchInterrupts(() =>
    say('\nStopping … (the next call goes on from here; Ctrl-C again ends at once)'),
  );
  const session = await openSession({ settings, say, interruption, stack: 'start' });
  try {
    const started = await start(session, recipe, recipePath, undefined, settings);
    announce(session, started);
    const code = await followToTable(session, started, interruption, resolve(settings.root, options.out));
    if (session.ownsStack && !options.keep)
      say('\nThe stack stops now; `npx secpi up` brings the Temporal UI back.');
    if (options.keep && session.ownsStack) {
      say(`\n${stackHints(session.state)}\nThe stack stays up until Ctrl-C.`);
      await interruption.requested.catch(() => undefined);
    }
    return code;
  } finally {
    await session.close();
    interruption.dispose();
  }
}

async function start(
  { cluster, store, state }: Session,
  recipe: Recipe,
  recipePath: string,
  workflowId: string | undefined,
  settings?: Settings,
): Promise<StartedRun> {
  const uploaded = await uploadLocal(recipe, {
    store,
    namespace: state.temporal.namespace,
    cwd: settings?.root ?? process.cwd(),
    recipePath,
    say,
  });
  return await startOrJoin(cluster, {
    type: 'secpi',
    workflowId: workflowId ?? workflowIdOf(uploaded),
    input: uploaded,
    summary: `${recipe.name}: ${recipe.dataset.name ?? recipe.dataset.uri}`,
  });
}

function announce({ state }: Session, started: StartedRun): void {
  say(`${started.joined ? 'Going on with' : 'Started'} the run ${started.workflowId}`);
  const url = runUrl(state, started);
  if (url !== null) say(`  Temporal UI: ${url}`);
}

async function followToTable(
  session: Session,
  started: StartedRun,
  interruption: Interruption,
  out: string,
): Promise<number> {
  const beganMs = Date.now();
  const result = await follow({
    cluster: session.cluster,
    handle: started.handle,
    out: process.stdout,
    signal: interruption.signal,
  });
  const results = await fetchResults(session.store, result, out);
  const url = runUrl(session.state, started);
  say('');
  say(renderTable(results.summary));
  say('');
  say(`Took     ${formatSeconds((Date.now() - beganMs) / 1000)}`);
  say(`Report   file://${results.reportPath}`);
  say(`         ${results.reportUri}`);
  say(`Summary  file://${results.summaryPath}`);
  if (url !== null) say(`Run      ${url}`);
  return exitCodes.ok;
}
