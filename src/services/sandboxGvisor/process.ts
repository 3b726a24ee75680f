/** Starts one runsc over a bundle, keeps its wall and output limits, and tells how it ended. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { SandboxEnd, SandboxLimits, SandboxOutcome, SandboxProcess } from '../sandbox/index.ts';
import { supervise } from '../sandbox/supervise.ts';
import { watch } from '../sandbox/watch.ts';
import { watchMemory } from './memory.ts';

export interface GvisorLaunch {
  readonly runscPath: string;
  /** Holds `config.json`; runsc keeps its state and its log there. */
  readonly folder: string;
  /** Null: run as the current user. */
  readonly uid: number | null;
  readonly limits: SandboxLimits;
  /** Host folder bound writable at /work, if any. */
  readonly writableDir: string | null;
  readonly signal: AbortSignal | undefined;
}

const OPTIONS = [
  // An unprivileged user is enough, and root drops to one: no process of the sandbox has a privilege on the host.
  '--rootless',
  '--platform=systrap',
  '--network=none',
  '--host-uds=none',
  '--host-fifo=none',
  '--overlay2=none',
  '--oci-seccomp',
  '--ignore-cgroups',
  '--log-format=json',
];
/** runsc's own code for "it did not start"; a sample may end with it too, so the log decides. */
const RUNSC_FAILED = 128;

export function launchGvisor(launch: GvisorLaunch): SandboxProcess {
  const { runscPath, folder, uid, limits, signal } = launch;
  const log = join(folder, 'log');
  const runsc = [runscPath, ...OPTIONS, `--root=${join(folder, 'state')}`, `--log=${log}`];
  // The gVisor kernel dies with runsc, and runsc with this process.
  const child = spawn(
    '/usr/bin/setpriv',
    ['--pdeathsig', 'KILL', '--no-new-privs', '--', ...runsc, 'run', `--bundle=${folder}`, 'sandbox'],
    {
      env: {},
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(uid === null ? {} : { uid, gid: uid }),
    },
  );
  const { stdin, stdout, stderr } = child;
  // A program that ended leaves a broken pipe; how it ended is told by `done`.
  stdin.on('error', () => {});

  const supervision = supervise({ child, stdout, stderr, limits, signal });
  const unwatch = child.pid === undefined ? [] : watchAll(child.pid, launch, supervision.intervene);

  const done = new Promise<SandboxEnd>((resolve) => {
    let spawnError = '';
    child.once('error', (error) => {
      spawnError = error.message;
    });
    // The kernel's process holds the pipes: they close when it and all processes inside are gone.
    child.once('close', (exitCode) => {
      supervision.end();
      for (const stop of unwatch) stop();
      const wallMs = supervision.elapsedMs();
      void startErrorOf(log, exitCode).then((said) =>
        resolve(endOf(supervision.outcome(), exitCode, wallMs, spawnError || said)),
      );
    });
  });
  return { stdin, stdout, stderr, done, kill: () => supervision.intervene('aborted') };
}

/** Returns what ends the watching. */
function watchAll(
  pid: number,
  { limits, writableDir }: GvisorLaunch,
  exceed: (outcome: SandboxOutcome) => void,
): (() => void)[] {
  const memory = watchMemory(pid, limits.memoryBytes, () => exceed('memoryLimit'));
  if (writableDir === null) return [memory];
  // Of the other backend's watch the look at the folder: what gVisor's processes hold on the host is no measure.
  const folderOnly = { ...limits, memoryBytes: Number.POSITIVE_INFINITY };
  return [memory, watch({ pid, limits: folderOnly, writableDir, exceed })];
}

function endOf(
  intervention: SandboxOutcome | null,
  exitCode: number | null,
  wallMs: number,
  startError: string,
): SandboxEnd {
  const base = { exitCode: null, signalName: null, wallMs, startError: '' };
  if (intervention !== null) return { ...base, outcome: intervention };
  if (exitCode === null || startError !== '') return { ...base, outcome: 'failedToStart', startError };
  const signalName =
    Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0] ?? null;
  return { ...base, outcome: 'exited', exitCode: signalName === null ? exitCode : null, signalName };
}

/** What runsc said of its own failure; the sample cannot write to its log. */
async function startErrorOf(log: string, exitCode: number | null): Promise<string> {
  if (exitCode !== RUNSC_FAILED) return '';
  const text = await readFile(log, 'utf8').catch((error: unknown) => `no log: ${String(error)}`);
  return /"msg":"([^"]*)","level":"error"/.exec(text)?.[1] ?? (text.startsWith('no log') ? text : '');
}
