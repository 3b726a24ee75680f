/** A schedule file → the schedule in Temporal, made or changed. What a person paused stays paused. */
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleClient,
  type ScheduleDescription,
} from '@temporalio/client';
import { SecpiError } from '../../contract/errors.ts';
import type { ScheduleFile } from '../../contract/schedule.ts';
import { workflowTypes } from '../../contract/workflows.ts';
import { toScheduleOptions, toScheduleUpdate } from '../../services/schedule/options.ts';

/** Throws RECIPE_INVALID when the server does not take the times, or the id is another program's. */
export async function applySchedule(
  client: ScheduleClient,
  file: ScheduleFile,
): Promise<'created' | 'updated'> {
  try {
    if (await isThere(client, file)) {
      await update(client, file);
      return 'updated';
    }
    try {
      await client.create(toScheduleOptions(file));
      return 'created';
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // Somebody made it meanwhile.
      await update(client, file);
      return 'updated';
    }
  } catch (error) {
    // How the client tells a cron expression or a time zone that the server cannot read.
    if (!(error instanceof TypeError)) throw error;
    throw new SecpiError('RECIPE_INVALID', `Temporal does not take the times: ${error.message}.`, {
      field: 'cron',
      cause: error,
    });
  }
}

async function isThere(client: ScheduleClient, { id }: ScheduleFile): Promise<boolean> {
  const described = await describe(client, id);
  if (described === null) return false;
  const { workflowType } = described.action;
  if (workflowTypes.some((type) => type === workflowType)) return true;
  throw new SecpiError(
    'RECIPE_INVALID',
    `the schedule "${id}" is another program's: it starts ${workflowType}.`,
    {
      field: 'id',
      remedy: 'Take another id.',
    },
  );
}

async function update(client: ScheduleClient, file: ScheduleFile): Promise<void> {
  await client.getHandle(file.id).update(({ state }) => toScheduleUpdate(file, state));
}

/** Null where there is none. */
export async function describe(client: ScheduleClient, id: string): Promise<ScheduleDescription | null> {
  try {
    return await client.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}
