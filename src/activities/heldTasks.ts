/**
 * The tasks that this process holds, written down on its disk. A process that was killed cannot say so, and Temporal
 * would wait out the heartbeat timeout: the next worker on this host hands them back in its stead, at once.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { z } from 'zod';
import { sha256Hex } from '../services/store/index.ts';
import { formatOwner, parseOwner, stateOf, thisProcess } from '../services/processOwner.ts';

const heldTaskSchema = z.strictObject({
  /** Base64. */
  taskToken: z.string(),
  activity: z.string(),
  workflowId: z.string(),
});
/** The retry comes as soon as the server allows: nobody works on the task. */
const RETRY_DELAY_MS = 50;

export interface HeldTask {
  readonly taskToken: Uint8Array;
  readonly activity: string;
  readonly workflowId: string;
}

/** Returns what takes the note away again, to be called when the task's end is reported by the process itself. */
export async function holdTask(dir: string, task: HeldTask): Promise<() => Promise<void>> {
  const folder = join(dir, formatOwner(thisProcess()));
  const taskToken = Buffer.from(task.taskToken).toString('base64');
  const file = join(folder, `${sha256Hex(taskToken).slice(0, 32)}.json`);
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify({ ...task, taskToken }), { mode: 0o600 });
  return async () => await rm(file, { force: true });
}

/** Fails, retryably, what dead processes of this host held. Returns how many Temporal still counted as running. */
export async function handBackTasks(dir: string, client: Client): Promise<number> {
  let handedBack = 0;
  for (const name of await foldersIn(dir)) {
    const owner = parseOwner(name);
    if (owner === null || (await stateOf(owner)) !== 'dead') continue;
    const folder = join(dir, name);
    for (const file of await readdir(folder)) {
      if (await handBack(await readFile(join(folder, file), 'utf8'), client)) handedBack += 1;
    }
    await rm(folder, { recursive: true, force: true });
  }
  return handedBack;
}

async function foldersIn(dir: string): Promise<string[]> {
  await mkdir(dir, { recursive: true });
  return await readdir(dir);
}

async function handBack(text: string, client: Client): Promise<boolean> {
  const parsed = heldTaskSchema.safeParse(jsonOf(text));
  // Half a note: its process died before it began with the task.
  if (!parsed.success) return false;
  const failure = ApplicationFailure.create({
    type: 'PREEMPTED',
    message:
      'PREEMPTED: the worker process died; this host hands its task back. Remedy: none, it is tried again.',
    nonRetryable: false,
    nextRetryDelay: RETRY_DELAY_MS,
  });
  try {
    await client.activity.fail(new Uint8Array(Buffer.from(parsed.data.taskToken, 'base64')), failure);
    return true;
  } catch (error) {
    // Temporal has given it to somebody else by now, or its workflow has ended.
    if (error instanceof ActivityNotFoundError) return false;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
