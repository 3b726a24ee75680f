/** The sandbox service: checks the machine once, then runs commands in bubblewrap. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import { STATUS_FD, type LaunchPlan } from './arguments.ts';
import { planBinds } from './binds.ts';
import { coverInherited } from './descriptors.ts';
import { readHostRoot } from './hostRoot.ts';
import { launch, type Launcher } from './process.ts';
import { openFolder } from './publish.ts';
import { runToEnd } from './runToEnd.ts';
import { seccompProgram, type SeccompArch } from './seccomp.ts';
import { acquireSlot } from './slots.ts';
import { spellOutControls } from './text.ts';
import type { Toolchain } from './toolchain.ts';
import { TOOLCHAIN_INSIDE } from './toolchain.ts';
import {
  DEFAULT_LIMITS,
  type Sandbox,
  type SandboxEnd,
  type SandboxProcess,
  type SandboxRequest,
} from './types.ts';
import { WorkDirs } from './workDir.ts';

export interface SandboxOptions {
  readonly toolchain: Toolchain;
}

const PRLIMIT = '/usr/bin/prlimit';

/**
 * Checks the machine by running a program. Throws SANDBOX_UNAVAILABLE with what is missing: Linux, bubblewrap,
 * prlimit, user namespaces.
 */
export async function createSandbox({ toolchain }: SandboxOptions): Promise<Sandbox> {
  const launcher: Launcher = {
    bwrapPath: toolchain.bwrapPath,
    seccomp: seccompProgram(hostArch()),
    seccompNoSharedMemory: seccompProgram(hostArch(), { sharedMemory: false }),
    stageDir: join(toolchain.root, 'stage'),
    coveredDescriptors: coverInherited(STATUS_FD + 1),
  };
  await requireExecutable(toolchain.bwrapPath, 'Stage the toolchain again: its bubblewrap is gone.');
  await requireExecutable(PRLIMIT, 'Install util-linux, which carries prlimit.');
  const hostRoot = await readHostRoot();
  const workDirs = await WorkDirs.open(toolchain.root);
  await openFolder(launcher.stageDir);

  const start = async (request: SandboxRequest): Promise<SandboxProcess> => {
    const owner = request.workDir === undefined ? null : workDirs.slotOf(request.workDir);
    if (request.workWritable === true && owner === null) {
      throw new TypeError('workWritable needs a workDir inside a folder of createWorkDir');
    }
    const readOnly = [{ host: toolchain.dir, inside: TOOLCHAIN_INSIDE.dir }, ...(request.readOnly ?? [])];
    const slot = owner ?? (await acquireSlot());
    const { binds, staged } = await planBinds({ ...request, readOnly }, launcher.stageDir, slot.uid).catch(
      async (error: unknown) => {
        if (owner === null) await slot.release();
        throw error;
      },
    );
    const plan: LaunchPlan = {
      request,
      binds,
      limits: { ...DEFAULT_LIMITS, ...request.limits },
      hostRoot,
      etcDir: toolchain.etcDir,
      prlimitPath: PRLIMIT,
    };
    const running = launch(launcher, plan, slot.uid, staged);
    if (owner !== null) return running;
    const done = running.done.then(async (end) => {
      await slot.release();
      return end;
    });
    return { ...running, done };
  };

  await probe(start);
  return { run: runToEnd(start), start, createWorkDir: () => workDirs.create() };
}

async function probe(start: Sandbox['start']): Promise<void> {
  const running = await start({ command: ['/usr/bin/true'] });
  const end = await running.done;
  if (end.outcome === 'exited' && end.exitCode === 0) return;
  throw unavailable(end);
}

/** Why a sandbox did not start, as an error with a remedy that fits. */
export function unavailable(
  end: Pick<SandboxEnd, 'outcome' | 'exitCode' | 'signalName' | 'startError'>,
): SecpiError {
  const said =
    spellOutControls(end.startError) || `${end.outcome}, exit code ${end.exitCode ?? end.signalName}`;
  const namespaces = /namespace|uid map|clone|Operation not permitted|No space left/i.test(said);
  return new SecpiError('SANDBOX_UNAVAILABLE', `bubblewrap did not start a program: ${said}.`, {
    remedy: namespaces
      ? 'Allow user namespaces: sysctl user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0 where they exist; in a container, a seccomp and AppArmor profile that permits unshare and mount.'
      : 'Read what bubblewrap says; `npx secpi doctor` repeats the check.',
  });
}

function hostArch(): SeccompArch {
  const { platform, arch } = process;
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64')) return arch;
  throw new SecpiError(
    'SANDBOX_UNAVAILABLE',
    `the sandbox needs Linux on x86_64 or aarch64, not ${platform} on ${arch}.`,
    {
      remedy: 'Run a worker for the queue secpi-sandbox on a Linux machine.',
    },
  );
}

async function requireExecutable(path: string, remedy: string): Promise<void> {
  try {
    await access(path, constants.X_OK);
  } catch (cause) {
    throw new SecpiError('SANDBOX_UNAVAILABLE', `cannot execute ${path}: ${messageOf(cause)}.`, {
      remedy,
      cause,
    });
  }
}
