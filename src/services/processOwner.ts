/**
 * Who owns a file of this host (a journal, a tranche, a held task), and whether that process still lives. Node has no file locks; a process is named by the
 * machine's boot, its PID namespace, its pid and the tick it started at, so that a reused pid is told apart.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { sha256Hex } from './store/hash.ts';

export interface ProcessOwner {
  /** Hash over what makes pids comparable: boot and PID namespace. */
  readonly place: string;
  readonly pid: number;
  /** Clock ticks after boot; 0 where the system does not tell. */
  readonly startTicks: number;
}

/** The part of a journal's file name that names its owner, e.g. `3f0c2a91-4711-883920`. */
export function formatOwner({ place, pid, startTicks }: ProcessOwner): string {
  return `${place}-${pid}-${startTicks}`;
}

export function parseOwner(text: string): ProcessOwner | null {
  const [, place, pid, startTicks] = /^([0-9a-f]{12})-(\d+)-(\d+)$/.exec(text) ?? [];
  return place === undefined ? null : { place, pid: Number(pid), startTicks: Number(startTicks) };
}

export function thisProcess(): ProcessOwner {
  return {
    place: thisPlace(),
    pid: process.pid,
    startTicks: startTicksIn(readOr('', () => readFileSync('/proc/self/stat', 'utf8'))),
  };
}

/** Names the time since this machine started: files that were not synced are whole only within it. */
export function thisBoot(): string {
  return readOr(hostname(), () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
}

/** A process of this machine, by its pid; startTicks is 0 when it has ended already. */
export function ownerOf(pid: number): ProcessOwner {
  const readStat = (): string => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch (error) {
      if (isGone(error)) return '';
      throw error;
    }
  };
  return { place: thisPlace(), pid, startTicks: startTicksIn(readOr('', readStat)) };
}

function thisPlace(): string {
  const boot = thisBoot();
  const namespace = readOr('', () => readlinkSync('/proc/self/ns/pid'));
  return sha256Hex(`${boot}\n${namespace}`).slice(0, 12);
}

/** Systems without /proc answer with the fallback. */
function readOr(fallback: string, read: () => string): string {
  return process.platform === 'linux' ? read() : fallback;
}

/** Field 22 of /proc/PID/stat; the command name before it may hold blanks and parentheses. */
function startTicksIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
}

/** Field 3: a zombie has ended, only nobody has asked for its exit code yet. */
function hasEnded(stat: string): boolean {
  return ['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2));
}

/** `unknown` for another boot, PID namespace or machine, whose processes cannot be seen from here. */
export async function stateOf(owner: ProcessOwner): Promise<'alive' | 'dead' | 'unknown'> {
  if (owner.place !== thisPlace()) return 'unknown';
  if (process.platform !== 'linux') return pidAnswers(owner.pid) ? 'alive' : 'dead';
  try {
    const stat = await readFile(`/proc/${owner.pid}/stat`, 'utf8');
    return startTicksIn(stat) === owner.startTicks && !hasEnded(stat) ? 'alive' : 'dead';
  } catch (error) {
    if (isGone(error)) return 'dead';
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}

function pidAnswers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

export interface LeftBehindOptions {
  /** An owner that cannot be seen from here is taken for dead when the path was not touched for this long. */
  readonly unseenDeadAfterMs: number;
  /** Whether this process gives up files of its own for the next to take. */
  readonly ownCount: boolean;
}

/** Whether nobody works any more on what lies at a path; `owner` null is one that cannot be read. */
export async function isLeftBehind(
  path: string,
  owner: ProcessOwner | null,
  { unseenDeadAfterMs, ownCount }: LeftBehindOptions,
): Promise<boolean> {
  switch (owner === null ? 'unknown' : await stateOf(owner)) {
    case 'dead':
      return true;
    case 'alive':
      return ownCount && owner?.pid === process.pid;
    case 'unknown': {
      const stats = await ifPresent(stat(path));
      return stats !== null && Date.now() - stats.mtimeMs > unseenDeadAfterMs;
    }
  }
}

/** Null when the file is not there: another process was quicker. */
export async function ifPresent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
