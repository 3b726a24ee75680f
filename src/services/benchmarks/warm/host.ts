/** One warm host: a sandbox with a Python that forks a child for each run. The Python side: harness/secpi_host.py. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { z } from 'zod';
import type {
  ReadOnlyBind,
  Sandbox,
  SandboxEnd,
  SandboxLimits,
  SandboxProcess,
  WorkDir,
} from '../../sandbox/index.ts';
import { openFolder } from '../../sandbox/index.ts';
import { readLines } from '../grading/lines.ts';

/** Where the Python side of hosts appears inside. */
export const WARM_INSIDE = '/warm';

/** What a host is for; runs that ask for the same share it, one after the other. */
export interface HostSpec {
  /** The interpreter, as the sandbox sees it. From 3.9 on. */
  readonly python: string;
  /** Holds pytest, as the sandbox sees it. */
  readonly site: string;
  /** Folder inside with `script` and `modules`. */
  readonly harness: string;
  /** Run by each child as its main program, with arguments of its own. */
  readonly script: string;
  /** Of the harness, imported once. */
  readonly modules: readonly string[];
  /** Imported once where they can be. */
  readonly preload: readonly string[];
  readonly readOnly: readonly ReadOnlyBind[];
  readonly env: Readonly<Record<string, string>>;
  /** Without wall and CPU time, which belong to the single run. `outputBytes` is a run's. */
  readonly limits: Omit<SandboxLimits, 'wallMs' | 'cpuSeconds'>;
  /**
   * Where the folder of the runs appears. "/work": read-only, at `/work`. "apart": a folder that is shared with another
   * sandbox at a writable `/work`, and one with tests at a read-only `/tests`.
   */
  readonly folders: 'work' | 'apart';
}

const messageSchema = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ out: z.string() }),
  z.strictObject({ err: z.string() }),
  z.strictObject({ ended: z.string(), status: z.int(), spent: z.boolean() }),
]);
type Message = z.infer<typeof messageSchema>;

/** A chunk of 64 KiB, each byte spelled out. */
const MAX_MESSAGE_BYTES = 1024 ** 2;
/** As long as a timer of Node can wait; each run has a wall limit of its own. */
const LIFE_MS = 2 ** 31 - 1;
/** CPU time of the host and of each child: the wall limit of the run comes first. */
const CPU_SECONDS = 100_000;
const START_MS = 60_000;
/** To kill and reap processes, and to empty folders. */
const CLEAN_UP_MS = 5000;
const MAX_RUNS = 50;
/** Each byte of a run's output may take six on the way; beyond it the host is not used again. */
const MAX_OUTPUT_BYTES = 256 * 1024 ** 2;
const DEAD: Omit<SandboxEnd, 'outcome'> = { exitCode: null, signalName: null, wallMs: 0, startError: '' };

export interface WarmRun {
  /** `kill` ends the child and what it started, and keeps the host; `done` tells `aborted` then. */
  readonly process: SandboxProcess;
  /** Once `process.done` is resolved: the host said that it had cleaned up behind the run. Else the run proves nothing. */
  isClean(): boolean;
}

export class WarmHost {
  readonly #work: WorkDir;
  readonly #running: SandboxProcess;
  readonly #spec: HostSpec;
  readonly #ready = Promise.withResolvers<boolean>();
  #run: Run | null = null;
  #runs = 0;
  #bytes = 0;
  #usable = true;

  private constructor(spec: HostSpec, work: WorkDir, running: SandboxProcess) {
    this.#spec = spec;
    this.#work = work;
    this.#running = running;
    running.stdin.on('error', () => {}); // how it ended is told by `done`
    running.stdout.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
    });
    // Nothing of a run comes this way.
    running.stderr.resume();
    readLines(
      running.stdout,
      MAX_MESSAGE_BYTES,
      (line) => {
        const message = parse(line);
        if (message === null) this.discard();
        else this.#take(message);
      },
      () => this.discard(),
    );
    void this.#awaitEnd();
  }

  /** Null where the Python cannot do it: an older one, or one whose modules start threads. */
  static async start(sandbox: Sandbox, warmHarness: string, spec: HostSpec): Promise<WarmHost | null> {
    const work = await sandbox.createWorkDir();
    try {
      const runs = join(work.path, 'runs');
      const tests = join(work.path, 'tests');
      const apart = spec.folders === 'apart';
      await openFolder(runs, apart ? 0o777 : 0o755);
      if (apart) await openFolder(tests);
      const running = await sandbox.start({
        command: [spec.python, '-I', '-B', `${WARM_INSIDE}/secpi_host.py`],
        workDir: runs,
        workWritable: apart,
        readOnly: [
          { host: warmHarness, inside: WARM_INSIDE },
          ...(apart ? [{ host: tests, inside: '/tests' }] : []),
          ...spec.readOnly,
        ],
        env: spec.env,
        limits: {
          ...spec.limits,
          wallMs: LIFE_MS,
          cpuSeconds: CPU_SECONDS,
          outputBytes: Number.MAX_SAFE_INTEGER,
          // The host itself.
          processes: spec.limits.processes + 1,
        },
      });
      const host = new WarmHost(spec, work, running);
      const { harness, site, script, modules, preload } = spec;
      host.#tell({ harness, site, script, modules, preload });
      const late = setTimeout(() => host.discard(), START_MS);
      const ready = await host.#ready.promise;
      clearTimeout(late);
      if (ready) return host;
      await host.close();
      return null;
    } catch (error) {
      await work.dispose();
      throw error;
    }
  }

  /** Host folder that appears at /work. */
  get runsFolder(): string {
    return join(this.#work.path, 'runs');
  }

  /** Host folder that appears at /tests, with `folders: 'apart'`. */
  get testsFolder(): string {
    return join(this.#work.path, 'tests');
  }

  get isUsable(): boolean {
    return this.#usable && this.#run === null && this.#runs < MAX_RUNS && this.#bytes < MAX_OUTPUT_BYTES;
  }

  /** `wallMs` of the run; what takes longer loses the host. */
  run(args: readonly string[], wallMs: number, signal: AbortSignal | undefined): WarmRun {
    if (!this.isUsable) throw new Error('a host runs one at a time');
    this.#runs += 1;
    const run = new Run(this.#spec.limits.outputBytes, wallMs, {
      tell: (message) => this.#tell(message),
      discard: () => this.discard(),
    });
    this.#run = run;
    const abort = () => this.discard();
    signal?.addEventListener('abort', abort, { once: true });
    void this.#awaitEndOf(run, () => signal?.removeEventListener('abort', abort));
    this.#tell({ run: run.id, argv: args });
    if (signal?.aborted === true) abort();
    return run;
  }

  discard(): void {
    this.#usable = false;
    this.#running.kill();
  }

  /** Resolves when its processes and folders are gone. */
  async close(): Promise<void> {
    this.discard();
    await this.#running.done;
    await this.#work.dispose();
  }

  async #awaitEnd(): Promise<void> {
    await this.#running.done;
    this.#usable = false;
    this.#ready.resolve(false);
    this.#run?.end(null);
  }

  async #awaitEndOf(run: Run, stopListening: () => void): Promise<void> {
    await run.process.done;
    stopListening();
    if (!run.isClean()) this.discard();
  }

  #tell(message: object): void {
    this.#running.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #take(message: Message): void {
    if ('ready' in message) {
      this.#ready.resolve(true);
      return;
    }
    const run = this.#run;
    if (run === null) {
      this.discard();
    } else if ('ended' in message) {
      if (message.spent) this.#usable = false;
      this.#run = null;
      run.end(message.ended === run.id ? message.status : null);
    } else if ('out' in message) {
      run.write('stdout', message.out);
    } else {
      run.write('stderr', message.err);
    }
  }
}

function parse(line: string): Message | null {
  try {
    return messageSchema.parse(JSON.parse(line));
  } catch {
    return null; // its only writer is not what it was: it is discarded
  }
}

/** One child, with the face of a sandbox. */
class Run implements WarmRun {
  readonly id = randomBytes(16).toString('hex');
  readonly process: SandboxProcess;
  readonly #stdout = new PassThrough();
  readonly #stderr = new PassThrough();
  readonly #done = Promise.withResolvers<SandboxEnd>();
  readonly #startedAt = performance.now();
  readonly #outputBytes: number;
  readonly #host: { readonly tell: (message: object) => void; readonly discard: () => void };
  readonly #wall: NodeJS.Timeout;
  #late: NodeJS.Timeout | undefined;
  #bytes = 0;
  #outcome: SandboxEnd['outcome'] | null = null;
  #clean = false;
  #ended = false;

  constructor(
    outputBytes: number,
    wallMs: number,
    host: { readonly tell: (message: object) => void; readonly discard: () => void },
  ) {
    this.#outputBytes = outputBytes;
    this.#host = host;
    this.#wall = setTimeout(() => this.#lose('timeout'), wallMs);
    const stdin = new Writable({
      write: (chunk: Buffer, _, next) => {
        if (!this.#ended) host.tell({ in: chunk.toString('latin1') });
        next();
      },
    });
    this.process = {
      stdin,
      stdout: this.#stdout,
      stderr: this.#stderr,
      done: this.#done.promise,
      kill: () => this.#stop(),
    };
  }

  isClean(): boolean {
    return this.#clean;
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    this.#bytes += text.length;
    if (this.#bytes > this.#outputBytes) this.#lose('outputLimit');
    else (stream === 'stdout' ? this.#stdout : this.#stderr).write(Buffer.from(text, 'latin1'));
  }

  /** `status`: of the child, negative for a signal; null: the host is gone, or not what it was. */
  end(status: number | null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#wall);
    clearTimeout(this.#late);
    this.#clean = status !== null && (this.#outcome === null || this.#outcome === 'aborted');
    const end: SandboxEnd = {
      ...DEAD,
      wallMs: Math.round(performance.now() - this.#startedAt),
      outcome: this.#outcome ?? (status === null ? 'aborted' : 'exited'),
      exitCode: status !== null && this.#outcome === null && status >= 0 ? status : null,
      signalName: status !== null && this.#outcome === null && status < 0 ? `signal ${-status}` : null,
    };
    // What the streams hold is read before anybody learns of the end.
    let open = 2;
    const closed = () => {
      open -= 1;
      if (open === 0) this.#done.resolve(end);
    };
    for (const stream of [this.#stdout, this.#stderr]) {
      stream.once('end', closed);
      stream.end();
      stream.resume();
    }
  }

  #stop(): void {
    if (this.#ended || this.#outcome !== null) return;
    this.#outcome = 'aborted';
    this.#host.tell({ stop: true });
    this.#late = setTimeout(() => this.#host.discard(), CLEAN_UP_MS);
  }

  #lose(outcome: SandboxEnd['outcome']): void {
    if (this.#ended) return;
    this.#outcome = outcome;
    this.#host.discard();
  }
}
