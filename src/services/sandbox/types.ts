/** What a caller asks of the sandbox and what it gets back. Design and threat model: DESIGN.md in this folder. */
import type { Readable, Writable } from 'node:stream';

/** Bounds of one sandbox. All hold at once; the first one reached ends or refuses. */
export interface SandboxLimits {
  /** Life of the whole process tree, from start to kill. */
  readonly wallMs: number;
  /** CPU time of each process. */
  readonly cpuSeconds: number;
  /**
   * Address space of each process. Null for programs built with AddressSanitizer, which reserves terabytes of it and
   * starts under no limit: then `memoryBytes` alone holds, and memory that it cannot see is refused (anonymous shared
   * mappings, /dev/zero).
   */
  readonly addressSpaceBytes: number | null;
  /** Resident memory of all processes together that is backed by no file, watched from outside a few times a second. */
  readonly memoryBytes: number;
  /** Processes and threads together. */
  readonly processes: number;
  /** Size of any one file. */
  readonly fileBytes: number;
  /** Open descriptors of each process. */
  readonly openFiles: number;
  /** stdout and stderr together. */
  readonly outputBytes: number;
  /** Each of /tmp, /dev/shm and /work; for a bound writable /work it is watched from outside. */
  readonly tmpBytes: number;
  /** Files and folders in each of those places, watched from outside. */
  readonly tmpFiles: number;
}

/** Ample for one short program of a benchmark; the sum over parallel sandboxes still fits a laptop. */
export const DEFAULT_LIMITS: SandboxLimits = {
  wallMs: 10_000,
  cpuSeconds: 10,
  addressSpaceBytes: 1024 ** 3,
  memoryBytes: 768 * 1024 ** 2,
  processes: 64,
  fileBytes: 64 * 1024 ** 2,
  openFiles: 256,
  outputBytes: 1024 ** 2,
  tmpBytes: 64 * 1024 ** 2,
  tmpFiles: 20_000,
};

export interface ReadOnlyBind {
  /**
   * Absolute path on the host. What lies below must be readable by any user when the service runs as root; the folders
   * above need not let others in.
   */
  readonly host: string;
  /** Absolute path inside. */
  readonly inside: string;
}

export interface SandboxRequest {
  /** Looked up inside; absolute paths or names in /usr/bin. */
  readonly command: readonly [string, ...string[]];
  /** Host folder bound at /work; without it /work is an empty tmpfs. Writable only in a folder of `createWorkDir`. */
  readonly workDir?: string;
  readonly workWritable?: boolean;
  readonly readOnly?: readonly ReadOnlyBind[];
  /** The whole environment besides PATH, HOME, TMPDIR and LANG; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
}

/** `exited` is the only outcome in which the program ended by itself; every other one was an intervention. */
export type SandboxOutcome =
  | 'exited'
  | 'timeout'
  | 'outputLimit'
  | 'memoryLimit'
  | 'diskLimit'
  | 'aborted'
  | 'failedToStart';

export interface SandboxEnd {
  readonly outcome: SandboxOutcome;
  /** Null when a signal or an intervention ended it. */
  readonly exitCode: number | null;
  /** Told from exit codes above 128, so a program can imitate it. */
  readonly signalName: string | null;
  readonly wallMs: number;
  /** What bubblewrap said when it failed to start; empty otherwise. */
  readonly startError: string;
}

export interface SandboxResult extends Omit<SandboxEnd, 'startError'> {
  /** Control characters other than tab and newline are spelled out, so that output can be shown in a terminal. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A running sandbox. Listen to the streams at once: they flow from the start. */
export interface SandboxProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when every process inside is dead. Never rejects. */
  readonly done: Promise<SandboxEnd>;
  /** Kills every process inside; `done` then tells `aborted`. */
  kill(): void;
}

/** A host folder that the sandbox may write to. Sandboxes that share one also share its slot uid. */
export interface WorkDir extends AsyncDisposable {
  readonly path: string;
  /** Removes the folder and frees its slot. Call it when every sandbox that uses it is done. */
  dispose(): Promise<void>;
}

export interface Sandbox {
  run(request: SandboxRequest): Promise<SandboxResult>;
  start(request: SandboxRequest): Promise<SandboxProcess>;
  createWorkDir(): Promise<WorkDir>;
}
