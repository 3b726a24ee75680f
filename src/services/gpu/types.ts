/** What a GPU worker gives to the activities that run on it: devices, and how long the machine still lasts. */

/** One GPU of this machine. A machine without one has a single slot whose device is null: the CPU. */
export interface GpuDevice {
  /** As nvidia-smi counts. */
  readonly index: number;
  /** What CUDA_VISIBLE_DEVICES names it by: its UUID, or a number where the driver tells none. */
  readonly uuid: string;
  readonly name: string;
  /** Null where it was not measured. */
  readonly totalBytes: number | null;
}

export interface HeldSlot {
  readonly device: GpuDevice | null;
  /** Gives the device to the next; further calls do nothing. */
  release(): void;
}

export interface AcquireOptions {
  /** Aborted: the wait ends with the signal's reason. */
  readonly signal: AbortSignal;
  /**
   * The device (`index`, null for the CPU) of a trainer that lives on this host and is to be adopted: that one is given,
   * although the trainer holds it. Absent: any that is free.
   */
  readonly adopting?: number | null;
  /** Called once when there is no free device yet. */
  readonly onWait?: () => void;
}

/** Devices, each given to one activity at a time. */
export interface GpuSlots {
  readonly count: number;
  readonly free: number;
  /**
   * Waits for a device. CAPACITY_UNAVAILABLE when other trainers of the host still hold what is free after a minute: the
   * task belongs to another worker, or to the attempt that adopts one of them.
   */
  acquire(options: AcquireOptions): Promise<HeldSlot>;
}

export const preemptionSources = ['aws', 'gcp', 'azure', 'kubernetes'] as const;
export type PreemptionSource = (typeof preemptionSources)[number];

/** The machine goes away. */
export interface PreemptionNotice {
  readonly from: PreemptionSource;
  /** What the cloud calls it, e.g. `terminate`, `Preempt`, `EvictionByEvictionAPI`. */
  readonly reason: string;
  /** Milliseconds since the epoch: nothing runs after it. */
  readonly deadlineMs: number;
}

/** This host, as the activities of a GPU worker see it. */
export interface GpuHost {
  readonly slots: GpuSlots;
  /** The first notice of the cloud, or null. */
  notice(): PreemptionNotice | null;
  /**
   * Milliseconds that are left for saving and leaving: to the deadline of a notice, or of SECPI_GRACE_SECONDS after a
   * SIGTERM; never below 0. Before either the whole grace period.
   */
  graceMs(): number;
}
