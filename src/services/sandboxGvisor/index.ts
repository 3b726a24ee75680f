/**
 * The second backend of the sandbox: each program runs on a gVisor kernel of its own (runsc), so that it meets a kernel
 * written in Go and not the host's. Same interface and same hostile programs as bubblewrap; DESIGN.md tells what
 * differs.
 */
import { access, chown, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import {
  DEFAULT_LIMITS,
  openFolder,
  spellOutControls,
  type Sandbox,
  type SandboxEnd,
  type SandboxProcess,
  type SandboxRequest,
  type Toolchain,
} from '../sandbox/index.ts';
import { sweepAbandoned } from '../sandbox/abandoned.ts';
import { readHostRoot } from '../sandbox/hostRoot.ts';
import { runToEnd } from '../sandbox/runToEnd.ts';
import { acquireSlot } from '../sandbox/slots.ts';
import { WorkDirs } from '../sandbox/workDir.ts';
import { ociConfig, type GvisorPlan } from './bundle.ts';
import { launchGvisor } from './process.ts';
import { layRoot } from './root.ts';

export interface GvisorSandboxOptions {
  readonly toolchain: Toolchain;
  /** Absolute path of a `runsc` that every user may execute. */
  readonly runscPath: string;
}

/** Checks the machine by running a program. Throws SANDBOX_UNAVAILABLE with what runsc says. */
export async function createGvisorSandbox({ toolchain, runscPath }: GvisorSandboxOptions): Promise<Sandbox> {
  const { arch } = process;
  if (process.platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64'))
    throw unavailable(`gVisor needs Linux on x86_64 or aarch64, not ${process.platform} on ${arch}.`);
  for (const path of [runscPath, '/usr/bin/setpriv'])
    await access(path, constants.X_OK).catch((cause: unknown) => {
      throw unavailable(`cannot execute ${path}: ${messageOf(cause)}.`);
    });
  const hostRoot = await readHostRoot();
  const workDirs = await WorkDirs.open(toolchain.root);
  const runs = join(toolchain.root, 'gvisor');
  await openFolder(runs, 0o711);
  await sweepAbandoned(runs);

  const start = async (request: SandboxRequest): Promise<SandboxProcess> => {
    const owner = request.workDir === undefined ? null : workDirs.slotOf(request.workDir);
    if (request.workWritable === true && owner === null)
      throw new TypeError('workWritable needs a workDir inside a folder of createWorkDir');
    const slot = owner ?? (await acquireSlot());
    const limits = { ...DEFAULT_LIMITS, ...request.limits };
    const folder = await mkdtemp(join(runs, `${process.pid}-`));
    const end = async () => {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      if (owner === null) await slot.release();
    };
    try {
      const plan: GvisorPlan = {
        request,
        limits,
        rootfs: join(folder, 'rootfs'),
        etcDir: toolchain.etcDir,
        rootFolders: hostRoot.folders,
        toolchainDir: toolchain.dir,
        ownsWork: owner !== null,
        arch,
      };
      await layRoot(plan, hostRoot);
      await writeFile(join(folder, 'config.json'), JSON.stringify(ociConfig(plan)));
      if (slot.uid !== null) await chown(folder, slot.uid, slot.uid);
      const running = launchGvisor({
        runscPath,
        folder,
        uid: slot.uid,
        limits,
        writableDir: request.workWritable === true ? (request.workDir ?? null) : null,
        signal: request.signal,
      });
      const done = running.done.then(async (told) => {
        await end();
        return told;
      });
      return { ...running, done };
    } catch (error) {
      await end();
      throw error;
    }
  };

  const probe = await (await start({ command: ['/usr/bin/true'] })).done;
  if (probe.outcome !== 'exited' || probe.exitCode !== 0) throw didNotStart(probe);
  return { run: runToEnd(start), start, createWorkDir: () => workDirs.create() };
}

function didNotStart(end: SandboxEnd): SecpiError {
  const said =
    spellOutControls(end.startError) || `${end.outcome}, exit code ${end.exitCode ?? end.signalName}`;
  return unavailable(`runsc did not start a program: ${said}.`);
}

function unavailable(problem: string): SecpiError {
  return new SecpiError('SANDBOX_UNAVAILABLE', problem, {
    remedy:
      'Install gVisor’s runsc where every user may execute it and name it by SECPI_RUNSC; allow user namespaces and ptrace of own children (kernel.yama.ptrace_scope below 3); or use the other backend, SECPI_SANDBOX=bubblewrap.',
  });
}
