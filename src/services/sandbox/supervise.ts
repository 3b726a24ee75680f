/** Keeps the limits that this process keeps for every backend (wall time, output, the caller's signal) by killing. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { killGroup } from '../processGroup.ts';
import type { SandboxLimits, SandboxOutcome } from './types.ts';

export interface Supervised {
  /** Leads a group of its own. */
  readonly child: ChildProcess;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly limits: SandboxLimits;
  readonly signal: AbortSignal | undefined;
}

export interface Supervision {
  /** Kills the program; the first reason is the outcome. */
  readonly intervene: (outcome: SandboxOutcome) => void;
  /** Null while nobody had to. */
  outcome(): SandboxOutcome | null;
  elapsedMs(): number;
  /** To be called when the program has ended. */
  end(): void;
}

export function supervise({ child, stdout, stderr, limits, signal }: Supervised): Supervision {
  const startedAt = performance.now();
  let intervention: SandboxOutcome | null = null;
  const intervene = (outcome: SandboxOutcome): void => {
    intervention ??= outcome;
    killGroup(child.pid);
  };
  let outputBytes = 0;
  const count = (chunk: Buffer): void => {
    outputBytes += chunk.length;
    if (outputBytes > limits.outputBytes) intervene('outputLimit');
  };
  stdout.on('data', count);
  stderr.on('data', count);
  const wall = setTimeout(() => intervene('timeout'), limits.wallMs);
  const abort = (): void => intervene('aborted');
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  return {
    intervene,
    outcome: () => intervention,
    elapsedMs: () => Math.round(performance.now() - startedAt),
    end() {
      clearTimeout(wall);
      signal?.removeEventListener('abort', abort);
    },
  };
}
