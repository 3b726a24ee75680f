/**
 * The file of a tranche: what was reserved in it and how each reservation ended, one line each. A line counts once the
 * operating system has it, so the death of the process loses nothing. Format: DESIGN.md beside this file.
 */
import { mkdir, open, readFile, rename, rm, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import {
  formatOwner,
  isMissing,
  parseOwner,
  thisBoot,
  thisProcess,
  type ProcessOwner,
} from '../processOwner.ts';
import type { PurseHolder } from './types.ts';

const usd = z.number().nonnegative();
const headerSchema = z.object({
  holder: z.object({ namespace: z.string(), workflowId: z.string(), runId: z.string() }),
  boot: z.string(),
});
const lineSchema = z.union([
  /** What the holder granted. */
  z.strictObject({ granted: usd }),
  /** Reserved, at its worst case. */
  z.strictObject({ r: z.int(), usd }),
  /** Settled, with what was paid. */
  z.strictObject({ s: z.int(), usd }),
  /** Released: nothing was charged. */
  z.strictObject({ f: z.int() }),
]);
export type TrancheLine = z.infer<typeof lineSchema>;

/** Somebody who cannot see this process takes it for dead when its files were not touched for this long. */
export const UNSEEN_DEAD_AFTER_MS = 60_000;
export const TOUCH_EVERY_MS = 15_000;

/** Files that this process uses or recovers: not to be taken for left-overs. */
const ownPaths = new Set<string>();

export const isOwnFile = (path: string): boolean => ownPaths.has(path);

/** `<tranche>@<owner>.jsonl` */
export function parseFileName(file: string): { id: string; owner: ProcessOwner | null } | null {
  const [, id, owner] = /^([0-9a-f]{16})@([0-9a-f-]+)\.jsonl$/.exec(file) ?? [];
  return id === undefined || owner === undefined ? null : { id, owner: parseOwner(owner) };
}

const pathOf = (dir: string, id: string): string => join(dir, `${id}@${formatOwner(thisProcess())}.jsonl`);

interface Waiting {
  readonly lines: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class TrancheFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #waiting: Waiting[] = [];
  #lane: Promise<void> = Promise.resolve();
  #draining = false;
  #touchedMs = performance.now();
  #failure: SecpiError | null = null;
  bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Resolves when the header is written: from then on whoever finds the file can settle the tranche. */
  static async create(dir: string, id: string, holder: PurseHolder): Promise<TrancheFile> {
    const path = pathOf(dir, id);
    ownPaths.add(path);
    try {
      await mkdir(dir, { recursive: true });
      const file = new TrancheFile(path, await open(path, 'ax', 0o600));
      const { namespace, workflowId, runId } = holder;
      await file.#append(JSON.stringify({ holder: { namespace, workflowId, runId }, boot: thisBoot() }));
      return file;
    } catch (error) {
      ownPaths.delete(path);
      throw error instanceof SecpiError ? error : diskError(path, error);
    }
  }

  /** Resolves when the operating system has the line, and nobody took the file over before that. */
  append(line: TrancheLine): Promise<void> {
    return this.#append(JSON.stringify(line));
  }

  #append(line: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ lines: `${line}\n`, resolve, reject });
    if (!this.#draining) {
      this.#draining = true;
      this.#lane = this.#lane.then(() => this.#drain());
    }
    return promise;
  }

  /** All that wait go in one write. After a failure the file may end in half a line: it takes no more. */
  async #drain(): Promise<void> {
    this.#draining = false;
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#failure !== null) throw this.#failure;
      const bytes = Buffer.from(batch.map(({ lines }) => lines).join(''));
      for (let at = 0; at < bytes.length;) at += (await this.#handle.write(bytes, at)).bytesWritten;
      this.bytes += bytes.length;
      // After a standstill (a stopped process) somebody may have settled the tranche without these lines.
      if (performance.now() - this.#touchedMs > UNSEEN_DEAD_AFTER_MS / 2) await this.touch();
      if (this.#failure !== null) throw this.#failure;
      for (const { resolve } of batch) resolve();
    } catch (error) {
      this.#failure ??= error instanceof SecpiError ? error : diskError(this.path, error);
      for (const { reject } of batch) reject(this.#failure);
    }
  }

  /** True when lines can no longer be kept: the disk is full, or somebody took the file over. */
  get isBroken(): boolean {
    return this.#failure !== null;
  }

  /** Tells observers of another PID namespace that the owner lives. */
  async touch(): Promise<void> {
    const now = new Date();
    try {
      await utimes(this.path, now, now);
      this.#touchedMs = performance.now();
    } catch (error) {
      this.#failure ??= isMissing(error)
        ? new SecpiError('PREEMPTED', 'this process stood still so long that its money was taken back.')
        : diskError(this.path, error);
    }
  }

  /** To be called once the tranche is settled, or was never granted. */
  async drop(): Promise<void> {
    await this.#end();
    await rm(this.path, { force: true });
    ownPaths.delete(this.path);
  }

  /** Leaves the file for `recoverTranches`. */
  async abandon(): Promise<void> {
    await this.#end();
    ownPaths.delete(this.path);
  }

  async #end(): Promise<void> {
    await this.#lane;
    await this.#handle.close();
  }
}

export interface ReadTranche {
  readonly holder: PurseHolder;
  /** Lines may be missing: the machine started anew after they were written, and they had not been synced. */
  readonly mayLackLines: boolean;
  /** Null when the grant was asked for and its answer never written down. */
  readonly grantedUsd: number | null;
  readonly spentUsd: number;
  /** Reservations without an end, at their worst case. */
  readonly unsettledUsd: number;
}

/**
 * What a file says. Null when it ends before its header does: nothing was asked for yet. A torn last line was not
 * waited for by anybody. Throws BLOB_CORRUPT when another line cannot be read.
 */
export async function readTranche(path: string): Promise<ReadTranche | null> {
  const text = await readFile(path, 'utf8');
  const [first, ...rest] = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  if (first === undefined) return null;
  const { holder, boot } = parseLine(headerSchema, first, path);
  const open = new Map<number, number>();
  let grantedUsd: number | null = null;
  let spentUsd = 0;
  for (const text of rest) {
    const line = parseLine(lineSchema, text, path);
    if ('granted' in line) grantedUsd = line.granted;
    else if ('r' in line) open.set(line.r, line.usd);
    else if ('f' in line) open.delete(line.f);
    else {
      open.delete(line.s);
      spentUsd += line.usd;
    }
  }
  const unsettledUsd = [...open.values()].reduce((sum, worst) => sum + worst, 0);
  return { holder, mayLackLines: boot !== thisBoot(), grantedUsd, spentUsd, unsettledUsd };
}

function parseLine<Schema extends z.ZodType>(schema: Schema, text: string, path: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SecpiError('BLOB_CORRUPT', `a line of ${path} cannot be read.`, {
      remedy: 'Its tranche stays charged in full; the file is kept as .corrupt.',
      cause,
    });
  }
}

/**
 * Makes a left-over file this process's own, so that of several that recover only one settles it, and an owner that
 * wakes up finds it gone. Null when another was quicker.
 */
export async function takeOver(dir: string, file: string, id: string): Promise<string | null> {
  const path = pathOf(dir, id);
  if (ownPaths.has(path)) return null;
  ownPaths.add(path);
  try {
    await rename(join(dir, file), path);
    return path;
  } catch (error) {
    ownPaths.delete(path);
    if (isMissing(error)) return null;
    throw diskError(path, error);
  }
}

/** Ends a take-over: the file is settled and gone, kept for people, or left for the next attempt. */
export async function endTakeOver(path: string, end: 'settled' | 'corrupt' | 'left'): Promise<void> {
  if (end === 'settled') await rm(path, { force: true });
  if (end === 'corrupt') await rename(path, `${path}.corrupt`);
  ownPaths.delete(path);
}

function diskError(path: string, cause: unknown): SecpiError {
  return new SecpiError(
    'RESOURCES_INSUFFICIENT',
    `the file ${path} cannot be written: ${messageOf(cause)}.`,
    {
      remedy: 'Free disk space, or give the worker a state folder that it may write to.',
      cause,
    },
  );
}
