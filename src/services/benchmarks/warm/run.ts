/** One child of a warm host, with the face of a sandbox. */
import { randomBytes } from 'node:crypto';
import { PassThrough, Writable } from 'node:stream';
import type { SandboxEnd, SandboxProcess } from '../../sandbox/index.ts';

/** To kill and reap processes, and to empty folders. */
const CLEAN_UP_MS = 5000;
const DEAD: Omit<SandboxEnd, 'outcome'> = { exitCode: null, signalName: null, wallMs: 0, startError: '' };

export interface WarmRun {
  /** `kill` ends the child and what it started, and keeps the host; `done` tells `aborted` then. */
  readonly process: SandboxProcess;
  /** Once `process.done` is resolved: the host said that it had cleaned up behind the run. Else the run proves nothing. */
  isClean(): boolean;
}

/** Of the host. */
export interface RunPorts {
  /** A line to the host's Python. */
  readonly tell: (message: object) => void;
  readonly discard: () => void;
}

export class Run implements WarmRun {
  readonly id = randomBytes(16).toString('hex');
  readonly process: SandboxProcess;
  readonly #stdout = new PassThrough();
  readonly #stderr = new PassThrough();
  readonly #done = Promise.withResolvers<SandboxEnd>();
  readonly #startedAt = performance.now();
  readonly #outputBytes: number;
  readonly #host: RunPorts;
  readonly #wall: NodeJS.Timeout;
  #late: NodeJS.Timeout | undefined;
  #bytes = 0;
  #outcome: SandboxEnd['outcome'] | null = null;
  #clean = false;
  #ended = false;

  constructor(outputBytes: number, wallMs: number, host: RunPorts) {
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
