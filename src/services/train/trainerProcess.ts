/**
 * The trainer as a process that outlives its worker: a session of its own, its output in files. Whoever finds it
 * later attaches to it by its owner (pid and start tick), without being its parent.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SecpiError } from '../../contract/errors.ts';
import { redact } from '../../contract/secrets.ts';
import { formatOwner, ifPresent, ownerOf, parseOwner, stateOf, type ProcessOwner } from '../processOwner.ts';

const GONE_POLL_MS = 20;
/** A process in an uninterruptible wait dies late, when its disk answers. */
const GONE_WITHIN_MS = 60_000;
const LOG_TAIL_CHARACTERS = 2000;

export interface TrainerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TrainerProcess {
  readonly pid: number;
  /** As `formatOwner` writes it. */
  readonly owner: string;
  isAlive(): Promise<boolean>;
  /** Resolves when it has ended; at once with null where this process is not its parent. */
  readonly exited: Promise<TrainerExit | null>;
  /** To the process alone; nothing happens when it has ended. */
  signal(name: 'SIGUSR1' | 'SIGTERM'): Promise<void>;
  /** SIGKILL to the process and all it started; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface TrainerCommand {
  readonly pythonPath: string;
  readonly configFile: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly eventsFile: string;
  readonly logFile: string;
}

export async function startTrainer(command: TrainerCommand): Promise<TrainerProcess> {
  const events = await open(command.eventsFile, 'a');
  const log = await open(command.logFile, 'a');
  try {
    const child = spawn(
      command.pythonPath,
      ['-m', 'secpi_trainer', 'train', '--config', command.configFile],
      {
        cwd: command.cwd,
        env: command.env,
        stdio: ['ignore', events.fd, log.fd],
        detached: true,
      },
    );
    const exited = new Promise<TrainerExit>((done) => {
      child.once('exit', (code, signal) => done({ code, signal }));
    });
    const failed = once(child, 'error').then(([cause]: unknown[]) => {
      throw new SecpiError('RESOURCES_INSUFFICIENT', `cannot start ${command.pythonPath}.`, {
        remedy: 'Run `npx secpi setup`, or point SECPI_PYTHON at the Python of the trainer.',
        cause,
      });
    });
    failed.catch(() => undefined); // raced below; later there is none
    await Promise.race([once(child, 'spawn'), failed]);
    child.unref();
    const { pid } = child;
    if (pid === undefined) throw new SecpiError('INTERNAL', 'a started process has no pid.');
    return processOf(ownerOf(pid), exited);
  } finally {
    await events.close();
    await log.close();
  }
}

/** Null when the text names no process. It may have ended. */
export function attachTrainer(owner: string | null): TrainerProcess | null {
  const parsed = owner === null ? null : parseOwner(owner);
  return parsed === null ? null : processOf(parsed, Promise.resolve(null));
}

/** The trainers of a config file that can be seen here, whether anybody wrote them down or not. */
export async function findTrainers(configFile: string): Promise<TrainerProcess[]> {
  const pids = ((await ifPresent(readdir('/proc'))) ?? []).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Gone meanwhile, or of somebody else.
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const words = command.split('\0');
      return words.includes('secpi_trainer') && words.includes(configFile) ? Number(pid) : null;
    }),
  );
  return found.filter((pid) => pid !== null).map((pid) => processOf(ownerOf(pid), Promise.resolve(null)));
}

/** Ends the trainer that was written down, and any other of the config file that its worker could not write down. */
export async function endTrainers(configFile: string, owner: string | null): Promise<void> {
  await attachTrainer(owner)?.kill();
  for (const trainer of await findTrainers(configFile)) await trainer.kill();
}

/** Whether it ran since this machine started, so that what it wrote is whole though nothing was synced. */
export async function isOfThisBoot(owner: string | null): Promise<boolean> {
  const parsed = owner === null ? null : parseOwner(owner);
  return parsed !== null && (await stateOf(parsed)) !== 'unknown';
}

function processOf(owner: ProcessOwner, exited: Promise<TrainerExit | null>): TrainerProcess {
  const isAlive = async (): Promise<boolean> => (await stateOf(owner)) === 'alive';
  const send = (pid: number, name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  return {
    pid: owner.pid,
    owner: formatOwner(owner),
    isAlive,
    exited,
    signal: async (name) => {
      if (await isAlive()) send(owner.pid, name);
    },
    kill: async () => {
      if (!(await isAlive())) return;
      send(-owner.pid, 'SIGKILL');
      const deadline = Date.now() + GONE_WITHIN_MS;
      while (await isAlive()) {
        if (Date.now() > deadline)
          throw new SecpiError('INTERNAL', `the trainer (process ${owner.pid}) does not end after SIGKILL.`, {
            remedy: 'Look at what it waits for: a disk or a GPU driver that hangs holds it.',
          });
        await delay(GONE_POLL_MS);
      }
    },
  };
}

/** The end of the trainer's log, free of keys. */
export async function logTail(logFile: string): Promise<string> {
  const text = (await ifPresent(readFile(logFile, 'utf8'))) ?? '';
  return redact(text.slice(-LOG_TAIL_CHARACTERS)).trim();
}
