/**
 * A Python child (the model server) that speaks JSON lines on stdout, takes commands on stdin, and logs to a
 * file. It leads a session of its own, so that a Ctrl-C in a terminal reaches it only through us; it ends by itself
 * when its stdin closes, so it never survives its worker.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { killGroup } from '../processGroup.ts';
import { SecpiError } from '../../contract/errors.ts';
import { redact } from '../../contract/secrets.ts';

export interface PythonProcess<Event> {
  readonly pid: number;
  /** Events in order; ends when the process closes its output. Lines that are no events are in the log. */
  readonly events: AsyncIterable<Event>;
  send(command: Readonly<Record<string, unknown>>): void;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends the process: SIGTERM, then SIGKILL to its group after `graceMs`. */
  stop(graceMs: number): Promise<void>;
  logTail(): Promise<string>;
}

export interface PythonOptions<Schema extends z.ZodType> {
  readonly pythonPath: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly eventSchema: Schema;
}

export async function startPython<Schema extends z.ZodType>(
  options: PythonOptions<Schema>,
): Promise<PythonProcess<z.output<Schema>>> {
  const log = await open(options.logFile, 'a');
  const child = spawn(options.pythonPath, [...options.args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', log.fd],
    detached: true,
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null)
    throw new SecpiError('INTERNAL', 'a child was started without pipes.');
  // Attached before anything is awaited, so that no ending is missed.
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) => {
    child.once('exit', (code, signal) => done({ code, signal }));
  });
  const failed = once(child, 'error').then(([cause]: unknown[]) => {
    throw new SecpiError('RESOURCES_INSUFFICIENT', `cannot start ${options.pythonPath}.`, {
      remedy: 'Run `npx secpi setup`, or point SECPI_PYTHON at the Python of the trainer.',
      cause,
    });
  });
  failed.catch(() => undefined);
  await Promise.race([once(child, 'spawn'), failed]);
  await log.close();
  const { pid } = child;
  if (pid === undefined) throw new SecpiError('INTERNAL', 'a started process has no pid.');
  stdin.on('error', () => undefined); // the process may be gone: its exit tells why
  return {
    pid,
    events: parseEvents(stdout, options.eventSchema),
    send: (command) => void stdin.write(`${JSON.stringify(command)}\n`),
    signal: (name) => void child.kill(name),
    exited,
    stop: async (graceMs) => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const gone = await Promise.race([exited.then(() => true), delay(graceMs, false, { ref: false })]);
        if (!gone) killGroup(pid);
        await exited;
      }
      killGroup(pid); // whatever it left behind in its group
    },
    logTail: async () => redact((await readFile(options.logFile, 'utf8')).slice(-2000)),
  };
}

async function* parseEvents<Schema extends z.ZodType>(
  stdout: Readable,
  schema: Schema,
): AsyncGenerator<z.output<Schema>> {
  for await (const line of createInterface({ input: stdout })) {
    const value = tryJson(line);
    if (typeof value !== 'object' || value === null || !('event' in value)) continue;
    const event = schema.safeParse(value);
    if (!event.success)
      throw new SecpiError(
        'INTERNAL',
        `a child said what the protocol does not know: ${line.slice(0, 300)}`,
        { cause: event.error },
      );
    yield event.data;
  }
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
