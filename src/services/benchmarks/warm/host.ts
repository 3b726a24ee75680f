/** One warm host: a sandbox with a Python that forks a child for each run. The Python side: harness/secpi_host.py. */
import { join } from 'node:path';
import type { ReadOnlyBind, Sandbox, SandboxLimits, SandboxProcess, WorkDir } from '../../sandbox/index.ts';
import { openFolder } from '../../sandbox/index.ts';
import { readLines } from '../grading/lines.ts';
import { MAX_MESSAGE_BYTES, parseHostMessage, type HostMessage } from './messages.ts';
import { Run, type WarmRun } from './run.ts';

/** Where the Python side of hosts appears inside. */
const WARM_INSIDE = '/warm';
/** As long as a timer of Node can wait; each run has a wall limit of its own. */
const LIFE_MS = 2 ** 31 - 1;
/** CPU time of the host and of each child: the wall limit of the run comes first. */
const CPU_SECONDS = 100_000;
const START_MS = 60_000;
const MAX_RUNS = 50;
/** Each byte of a run's output may take six on the way; beyond it the host is not used again. */
const MAX_OUTPUT_BYTES = 256 * 1024 ** 2;

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
        const message = parseHostMessage(line);
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
      await openFolder(runs);
      const running = await sandbox.start({
        command: [spec.python, '-I', '-B', `${WARM_INSIDE}/secpi_host.py`],
        workDir: runs,
        readOnly: [{ host: warmHarness, inside: WARM_INSIDE }, ...spec.readOnly],
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

  get isUsable(): boolean {
    return this.#usable && this.#run === null && this.#runs < MAX_RUNS && this.#bytes < MAX_OUTPUT_BYTES;
  }

  /** `wallMs` of the run; what takes longer loses the host. */
  run(args: readonly string[], wallMs: number, signal: AbortSignal | undefined): WarmRun {
    if (!this.isUsable) throw new Error('a host runs one at a time');
    this.#runs += 1;
    const tell = (message: object): void => this.#tell(message);
    const run = new Run(this.#spec.limits.outputBytes, wallMs, { tell, discard: () => this.discard() });
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

  #take(message: HostMessage): void {
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
