/** `secpi run RECIPE` and `secpi demo`: start (or join) a run, follow it, fetch its results. */
import { resolve } from 'node:path';
import type { Recipe } from '../../contract/recipe.ts';
import { parseRecipe } from '../../contract/parse.ts';
import { exitCodes } from '../exit.ts';
import { describeEnd, followToReport } from '../followToReport.ts';
import { watchInterrupts } from '../interrupt.ts';
import { readInputFile } from '../recipeFile.ts';
import { openSession, type Session } from '../session.ts';
import { readSettings } from '../settings.ts';
import { runUrl, startOrJoin, workflowIdOf, type StartedRun } from '../startRun.ts';
import { uploadLocal } from '../uploadLocal.ts';
import { stackHints } from './up.ts';

type Say = (line: string) => void;

const sayTo =
  (stream: NodeJS.WriteStream): Say =>
  (line) =>
    void stream.write(`${line}\n`);

export interface RunOptions {
  readonly detach: boolean;
  readonly workflowId?: string | undefined;
  readonly out: string;
  /** Standard output holds one JSON object and nothing else. */
  readonly json: boolean;
}

/** Starts on a running stack or the user's cluster. Ctrl-C stops following; the run goes on. */
export async function run(recipePath: string, options: RunOptions): Promise<number> {
  const recipe = parseRecipe(await readInputFile(recipePath));
  const settings = readSettings(process.env);
  const progress = options.json ? process.stderr : process.stdout;
  const say = sayTo(progress);
  const interruption = watchInterrupts(() => say('No longer following; the run goes on.'));
  const session = await openSession({ settings, say, interruption, stack: 'use' });
  try {
    const { workflowId } = options;
    const started = await start(session, { recipe, recipePath, workflowId, cwd: process.cwd(), say });
    announce(session, started, say);
    const told = {
      workflowId: started.workflowId,
      runId: started.runId,
      joined: started.joined,
      url: runUrl(session.state, started),
    };
    if (options.detach) {
      if (options.json) process.stdout.write(`${JSON.stringify(told)}\n`);
      else say(`Follow it: npx secpi runs follow ${started.workflowId}`);
      return exitCodes.ok;
    }
    const out = resolve(options.out);
    const ended = await followToReport(session, started, { interruption, out, progress });
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ ...told, files: ended.results?.files ?? null, result: ended.result })}\n`,
      );
    else say(describeEnd(ended));
    return exitCodes.ok;
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
  const say = sayTo(process.stdout);
  const recipePath = resolve(settings.root, options.recipe);
  const recipe = parseRecipe(await readInputFile(recipePath));
  const interruption = watchInterrupts(() =>
    say('\nStopping … (the next call goes on from here; Ctrl-C again ends at once)'),
  );
  const session = await openSession({ settings, say, interruption, stack: 'start' });
  try {
    const started = await start(session, {
      recipe,
      recipePath,
      workflowId: undefined,
      cwd: settings.root,
      say,
    });
    announce(session, started, say);
    const out = resolve(options.out);
    say(describeEnd(await followToReport(session, started, { interruption, out, progress: process.stdout })));
    if (session.ownsStack && !options.keep)
      say('\nThe stack stops now; `npx secpi up` brings the Temporal UI back.');
    if (options.keep && session.ownsStack) {
      say(`\n${stackHints(session.state)}\nThe stack stays up until Ctrl-C.`);
      await interruption.requested.catch(() => undefined);
    }
    return exitCodes.ok;
  } finally {
    await session.close();
    interruption.dispose();
  }
}

interface Asked {
  readonly recipe: Recipe;
  readonly recipePath: string;
  readonly workflowId: string | undefined;
  /** Local paths of the recipe are looked for here, then beside it. */
  readonly cwd: string;
  readonly say: Say;
}

async function start(
  { cluster, store, state }: Session,
  { recipe, recipePath, workflowId, cwd, say }: Asked,
): Promise<StartedRun> {
  const { namespace } = state.temporal;
  const uploaded = await uploadLocal(recipe, { store, namespace, cwd, recipePath, say });
  return await startOrJoin(cluster, {
    type: 'secpi',
    workflowId: workflowId ?? workflowIdOf(uploaded),
    input: uploaded,
    summary: `${recipe.name}: ${recipe.dataset.name ?? recipe.dataset.uri}`,
  });
}

function announce({ state }: Session, started: StartedRun, say: Say): void {
  say(`${started.joined ? 'Going on with' : 'Started'} the run ${started.workflowId}`);
  const url = runUrl(state, started);
  if (url !== null) say(`  Temporal UI: ${url}`);
}
