/**
 * The tasks that this process holds, written down on its disk. A process that was killed cannot say so, and Temporal
 * would wait out the heartbeat timeout: the next worker on this host hands them back in its stead, at once.
 */
import { mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { ActivityNotFoundError, type AsyncCompletionClient } from '@temporalio/client';
import { z } from 'zod';
import { sha256Hex } from '../services/store/index.ts';
import { formatOwner, parseOwner, stateOf, thisProcess, isMissing } from '../services/processOwner.ts';

const heldTaskSchema = z.strictObject({
  namespace: z.string(),
  /** Base64. */
  taskToken: z.string(),
  activity: z.string(),
  workflowId: z.string(),
});
type Note = z.infer<typeof heldTaskSchema>;
/** The retry comes as soon as the server allows: nobody works on the task. */
const RETRY_DELAY_MS = 50;
/** Every heartbeat timeout is long over: a note that nobody could hand back is of no more use. */
const STALE_AFTER_MS = 24 * 3_600_000;

export interface HeldTask {
  /** Of the server; a host may serve several, one worker each. */
  readonly namespace: string;
  readonly taskToken: Uint8Array;
  readonly activity: string;
  readonly workflowId: string;
}

/** Returns what takes the note away again, to be called when the task's end is reported by the process itself. */
export async function holdTask(dir: string, task: HeldTask): Promise<() => Promise<void>> {
  const folder = join(dir, formatOwner(thisProcess()));
  const taskToken = Buffer.from(task.taskToken).toString('base64');
  const file = join(folder, `${sha256Hex(taskToken).slice(0, 32)}.json`);
  const note: Note = {
    namespace: task.namespace,
    taskToken,
    activity: task.activity,
    workflowId: task.workflowId,
  };
  const write = async (): Promise<void> => {
    await mkdir(folder, { recursive: true });
    await writeFile(file, JSON.stringify(note), { mode: 0o600 });
  };
  try {
    await write();
  } catch (error) {
    // Another container of this disk swept the folder in between, as one that had long been quiet.
    if (!isMissing(error)) throw error;
    await write();
  }
  return async () => await rm(file, { force: true });
}

export interface HandBackOptions {
  /** Of the client; notes of others are left for their own workers. */
  readonly namespace: string;
  /** A note that could not be handed back now; Temporal's heartbeat timeout does it then. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Fails, retryably, what dead processes of this host held. Returns how many Temporal still counted as running. Never
 * rejects: a worker is to start whatever lies on its disk.
 */
export async function handBackTasks(
  dir: string,
  client: { readonly activity: Pick<AsyncCompletionClient, 'fail'> },
  { namespace, onTrouble }: HandBackOptions,
): Promise<number> {
  let handedBack = 0;
  /** Other workers of this host may be at the same notes: what is gone is no trouble. */
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isMissing(error)) onTrouble(error);
    }
  };
  const handBackFile = async (path: string): Promise<void> => {
    const note = noteIn(await readFile(path, 'utf8'));
    if (note !== null && note.namespace !== namespace) return;
    // Half a note: its process died before it began with the task.
    if (note !== null && (await handBack(note, client.activity))) handedBack += 1;
    await rm(path, { force: true });
  };
  const visit = async (name: string): Promise<void> => {
    const owner = parseOwner(name);
    const state = owner === null ? 'alive' : await stateOf(owner);
    if (state === 'alive') return;
    const folder = join(dir, name);
    const isStale = Date.now() - (await stat(folder)).mtimeMs > STALE_AFTER_MS;
    if (state === 'dead') {
      for (const file of await readdir(folder)) {
        await attempt(async () => await handBackFile(join(folder, file)));
      }
    }
    if (isStale) await rm(folder, { recursive: true, force: true });
    else if (state === 'dead') await removeEmpty(folder);
  };
  await attempt(async () => {
    for (const name of await readdir(dir)) {
      await attempt(async () => await visit(name));
    }
  });
  return handedBack;
}

/** False when Temporal has given it to somebody else by now, or its workflow has ended. */
async function handBack(note: Note, activities: Pick<AsyncCompletionClient, 'fail'>): Promise<boolean> {
  const failure = ApplicationFailure.create({
    type: 'WORKER_DIED',
    message:
      'WORKER_DIED: the worker process died; this host hands its task back. Remedy: none, it is tried again.',
    nonRetryable: false,
    nextRetryDelay: RETRY_DELAY_MS,
  });
  try {
    await activities.fail(new Uint8Array(Buffer.from(note.taskToken, 'base64')), failure);
    return true;
  } catch (error) {
    if (error instanceof ActivityNotFoundError) return false;
    throw error;
  }
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY')) throw error;
  }
}

function noteIn(text: string): Note | null {
  try {
    return heldTaskSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
