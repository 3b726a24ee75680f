/**
 * Ends what only costs money: a trainer that says nothing for too long (stalled), and one whose GPU, or without one
 * whose process, does nothing (idle).
 */
import { SecpiError } from '../../contract/errors.ts';
import { cpuSecondsOf } from './machineProbes.ts';
import type { MachineProbes } from './training.ts';

/** Between two looks at the use of the machine. */
const SAMPLE_MS = 15_000;
/** Of a limit, so that a short one is looked at often enough. */
const SAMPLE_SHARE = 0.2;
/** Use of a GPU below this, in percent, is idleness. */
const IDLE_GPU_PERCENT = 1;
/** Share of one core that threads which only wait use up. */
const IDLE_CPU_SHARE = 0.02;

export interface GuardLimits {
  readonly stallMinutes: number;
  readonly idleMinutes: number;
}

export interface GuardedTrainer {
  readonly pid: number;
  /** Null without one. */
  readonly gpuIndex: number | null;
}

export interface Guards {
  /** The trainer said something. `computes`: from now on its steps use the GPU; false while it loads or exports. */
  progress(computes: boolean): void;
  /** To be called often. The error that ends the trainer, or null. */
  look(): Promise<SecpiError | null>;
}

/**
 * Time is counted in small pieces, so that a machine that slept, or a supervisor that was frozen, is not taken for a
 * trainer that did nothing.
 */
export function createGuards(
  { pid, gpuIndex }: GuardedTrainer,
  { stallMinutes, idleMinutes }: GuardLimits,
  probes: Pick<MachineProbes, 'gpuUtilisation'>,
  now: () => number = () => performance.now(),
): Guards {
  const stallMs = stallMinutes * 60_000;
  const idleMs = idleMinutes * 60_000;
  const sampleMs = Math.min(SAMPLE_MS, Math.max(1, idleMs * SAMPLE_SHARE));
  const pieceMs = 2 * sampleMs;
  let computes = false;
  let quietMs = 0;
  let lastLookMs = now();
  let idleForMs = 0;
  let lastSampleMs = now();
  let cpuSeconds: number | null = null;

  async function isIdle(elapsedMs: number): Promise<boolean> {
    const before = cpuSeconds;
    cpuSeconds = await cpuSecondsOf(pid);
    const utilisation = computes && gpuIndex !== null ? await probes.gpuUtilisation(gpuIndex) : null;
    if (utilisation !== null) return utilisation < IDLE_GPU_PERCENT;
    if (before === null || cpuSeconds === null) return false;
    return (cpuSeconds - before) * 1000 < IDLE_CPU_SHARE * elapsedMs;
  }

  return {
    progress(isComputing) {
      computes = isComputing;
      quietMs = 0;
    },
    async look() {
      const at = now();
      quietMs += Math.min(at - lastLookMs, pieceMs);
      lastLookMs = at;
      if (quietMs > stallMs)
        return new SecpiError('TRAINER_STALLED', `the trainer said nothing for ${stallMinutes} minutes.`);
      const sinceSampleMs = at - lastSampleMs;
      if (sinceSampleMs < sampleMs) return null;
      lastSampleMs = at;
      idleForMs = (await isIdle(sinceSampleMs)) ? idleForMs + Math.min(sinceSampleMs, pieceMs) : 0;
      if (idleForMs <= idleMs) return null;
      const what = computes && gpuIndex !== null ? `GPU ${gpuIndex}` : 'the trainer';
      return new SecpiError('TRAINER_STALLED', `${what} did nothing for ${idleMinutes} minutes.`);
    },
  };
}
