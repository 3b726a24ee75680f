/** Starts one bubblewrap, keeps its wall and output limits, and tells how it ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { Readable, Writable } from 'node:stream';
import {
  ARGUMENTS_FD,
  bubblewrapOptions,
  encodeArguments,
  limitedCommand,
  SECCOMP_FD,
  STATUS_FD,
  type LaunchPlan,
} from './arguments.ts';
import { stagedCommand } from './binds.ts';
import type { SandboxEnd, SandboxOutcome, SandboxProcess } from './types.ts';
import { supervise } from './supervise.ts';
import { huntOrphan, torndown } from './teardown.ts';
import { watch } from './watch.ts';

export interface Launcher {
  readonly bwrapPath: string;
  /** With anonymous shared mappings, and without for programs whose address space has no limit. */
  readonly seccomp: Buffer;
  readonly seccompNoSharedMemory: Buffer;
  /** An empty folder that every slot can walk to. */
  readonly stageDir: string;
  /** Stdio entries behind our own pipes, of `coverInherited`. */
  readonly coveredDescriptors: readonly ('ignore' | number)[];
}

/** Room for what bubblewrap says about itself. */
const START_ERROR_BYTES = 4096;

/** `uid` null: run as the current user. `staged`: of `planBinds`. */
export function launch(
  launcher: Launcher,
  plan: LaunchPlan,
  uid: number | null,
  staged: readonly string[],
): SandboxProcess {
  const { request, limits } = plan;
  // An empty environment for bubblewrap itself: its /proc/1/environ is readable inside. Node drops the
  // supplementary groups with the uid; detached makes it the leader of a group of its own.
  const bubblewrap = [launcher.bwrapPath, '--args', String(ARGUMENTS_FD), '--', ...limitedCommand(plan)];
  const direct = uid === null || staged.length === 0;
  const [command = '', ...args] = direct
    ? bubblewrap
    : stagedCommand({ staged, stageDir: launcher.stageDir, uid }, bubblewrap);
  const child = spawn(command, args, {
    ...(direct ? { argv0: 'bwrap' } : {}),
    env: {},
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...launcher.coveredDescriptors],
    ...(uid === null || !direct ? {} : { uid, gid: uid }),
  });
  const streams = standardStreams(child);
  const pipes: readonly unknown[] = child.stdio;
  feed(
    pipes[SECCOMP_FD],
    limits.addressSpaceBytes === null ? launcher.seccompNoSharedMemory : launcher.seccomp,
  );
  feed(pipes[ARGUMENTS_FD], encodeArguments(bubblewrapOptions(plan)));

  const { signal } = request;
  const supervision = supervise({ child, ...streams, limits, signal });
  const status = collect(pipes[STATUS_FD], START_ERROR_BYTES);
  const startError = collect(streams.stderr, START_ERROR_BYTES);
  const writableDir = request.workWritable === true ? (request.workDir ?? null) : null;
  const unwatch =
    child.pid === undefined
      ? () => {}
      : watch({ pid: child.pid, limits, writableDir, exceed: supervision.intervene });

  const done = new Promise<SandboxEnd>((resolve) => {
    let spawnError = '';
    child.once('error', (error) => {
      spawnError = error.message;
    });
    let stopHunt = () => {};
    child.once('exit', () => {
      stopHunt = huntOrphan(child.pid, () => parseStatus(status()).initPid);
    });
    child.once('close', () => {
      supervision.end();
      unwatch();
      stopHunt();
      const { initPid, exitCode } = parseStatus(status());
      const end = endOf(supervision.outcome(), exitCode, supervision.elapsedMs(), spawnError || startError());
      void torndown(initPid).then(() => resolve(end));
    });
  });
  return { ...streams, done, kill: () => supervision.intervene('aborted') };
}

function endOf(
  intervention: SandboxOutcome | null,
  exitCode: number | null,
  wallMs: number,
  startError: string,
): SandboxEnd {
  const base = { exitCode: null, signalName: null, wallMs, startError: '' };
  if (intervention !== null) return { ...base, outcome: intervention };
  if (exitCode === null) return { ...base, outcome: 'failedToStart', startError };
  const signalName = signalNameOf(exitCode - 128);
  return { ...base, outcome: 'exited', exitCode: signalName === null ? exitCode : null, signalName };
}

function signalNameOf(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}

function standardStreams(child: ChildProcess): { stdin: Writable; stdout: Readable; stderr: Readable } {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('spawn gave no pipes');
  // A program that ended leaves a broken pipe; how it ended is told by `done`.
  stdin.on('error', () => {});
  return { stdin, stdout, stderr };
}

function feed(stream: unknown, bytes: Buffer): void {
  if (!(stream instanceof Writable)) throw new Error('no pipe to write to');
  // Broken when bubblewrap could not start, which `done` tells.
  stream.on('error', () => {});
  stream.end(bytes);
}

/** Keeps the first `limit` bytes of a stream. */
function collect(stream: unknown, limit: number): () => string {
  if (!(stream instanceof Readable)) throw new Error('no pipe to read from');
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    if (bytes < limit) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).subarray(0, limit).toString('utf8').trim();
}

/** bubblewrap writes `child-pid` when the tree is up and `exit-code` only if the command was really run. */
function parseStatus(text: string): { initPid: number | null; exitCode: number | null } {
  const number = (pattern: RegExp) => {
    const digits = pattern.exec(text)?.[1];
    return digits === undefined ? null : Number(digits);
  };
  return { initPid: number(/"child-pid": *(\d+)/), exitCode: number(/"exit-code": *(\d+)/) };
}
