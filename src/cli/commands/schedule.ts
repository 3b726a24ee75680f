/** `secpi schedule`: runs at times of a calendar, kept by Temporal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleNotFoundError, type ScheduleClient, type ScheduleDescription } from '@temporalio/client';
import { SecpiError } from '../../contract/errors.ts';
import { parseScheduleFile } from '../../contract/schedule.ts';
import { readInputFile } from '../recipeFile.ts';
import { applySchedule, describe } from '../schedule/apply.ts';
import { lineOf, showLines, showView, viewOf, type ScheduleLine } from '../schedule/view.ts';
import { createOutput } from '../traces/output.ts';
import { asciiControls } from '../traces/show.ts';
import { withCluster } from '../withCluster.ts';

export interface JsonOption {
  readonly json: boolean;
}

/** The schedule starts what was triggered within moments; a busy server needs a little longer. */
const TRIGGERED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 200;

export async function apply(path: string, options: JsonOption): Promise<number> {
  const file = parseScheduleFile(await readInputFile(path));
  return await withSchedules(async (client, tell) => {
    const done = await applySchedule(client, file);
    const view = viewOf(await demand(client, file.id));
    await tell(options, { done, ...view }, () => `The schedule ${file.id} is ${done}.\n${showView(view)}`);
  });
}

export async function list(options: JsonOption): Promise<number> {
  return await withSchedules(async (client, tell) => {
    const lines: ScheduleLine[] = [];
    for await (const summary of client.list()) lines.push(lineOf(summary));
    lines.sort((left, right) => left.id.localeCompare(right.id));
    await tell(options, lines, () => showLines(lines));
  });
}

export async function show(id: string, options: JsonOption): Promise<number> {
  return await withSchedules(async (client, tell) => {
    const view = viewOf(await demand(client, id));
    await tell(options, view, () => showView(view));
  });
}

/** A run now, by the schedule's own rule for a run that still goes. */
export async function trigger(id: string, options: JsonOption): Promise<number> {
  return await withSchedules(async (client, tell) => {
    const before = await demand(client, id);
    await client.getHandle(id).trigger(before.policies.overlap);
    const workflowId = await triggered(client, before);
    await tell(options, { id, workflowId }, () =>
      workflowId === null
        ? `Nothing is started: a run of ${id} still goes.`
        : `Started the run ${workflowId}`,
    );
  });
}

export async function pause(id: string, options: JsonOption & { readonly note: string }): Promise<number> {
  return await change(id, options, `${id} is paused.`, async (client) => {
    await client.getHandle(id).pause(options.note);
  });
}

export async function resume(id: string, options: JsonOption & { readonly note: string }): Promise<number> {
  return await change(id, options, `${id} goes on.`, async (client) => {
    await client.getHandle(id).unpause(options.note);
  });
}

export async function remove(id: string, options: JsonOption): Promise<number> {
  return await change(id, options, `${id} is deleted; its runs and records stay.`, async (client) => {
    await client.getHandle(id).delete();
  });
}

async function change(
  id: string,
  options: JsonOption,
  said: string,
  work: (client: ScheduleClient) => Promise<void>,
): Promise<number> {
  return await withSchedules(async (client, tell) => {
    await demand(client, id);
    await work(client);
    await tell(options, { id, done: said }, () => said);
  });
}

/** The run that was started since; null when the schedule's rule left it out. */
async function triggered(client: ScheduleClient, before: ScheduleDescription): Promise<string | null> {
  const known = new Set(before.info.recentActions.map(({ takenAt }) => takenAt.getTime()));
  const deadline = Date.now() + TRIGGERED_WITHIN_MS;
  while (Date.now() < deadline) {
    const { info } = await demand(client, before.scheduleId);
    const started = info.recentActions.findLast(({ takenAt }) => !known.has(takenAt.getTime()));
    if (started !== undefined) return started.action.workflow.workflowId;
    if (info.numActionsSkippedOverlap > before.info.numActionsSkippedOverlap) return null;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}

async function demand(client: ScheduleClient, id: string): Promise<ScheduleDescription> {
  const described = await describe(client, id);
  if (described !== null) return described;
  throw new SecpiError('RECIPE_INVALID', `there is no schedule "${id}".`, {
    field: 'ID',
    remedy: 'List them with `npx secpi schedule list`.',
  });
}

type Tell = (options: JsonOption, value: unknown, text: () => string) => Promise<void>;

async function withSchedules(work: (client: ScheduleClient, tell: Tell) => Promise<void>): Promise<number> {
  const output = createOutput(process.stdout);
  return await withCluster(async ({ client }) => {
    try {
      await work(client.schedule, async ({ json }, value, text) => {
        await output.line(json ? asciiControls(JSON.stringify(value)) : text());
      });
    } catch (error) {
      // Deleted by somebody between two requests.
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      throw new SecpiError('RECIPE_INVALID', `the schedule "${error.scheduleId}" is gone.`, {
        field: 'ID',
        remedy: 'List them with `npx secpi schedule list`.',
        cause: error,
      });
    }
  });
}
