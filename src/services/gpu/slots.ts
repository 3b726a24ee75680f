/** The devices of this host, each given to one activity at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import { SecpiError } from '../../contract/errors.ts';
import type { AcquireOptions, GpuDevice, GpuSlots, HeldSlot } from './types.ts';

/** A trainer that outlived its attempt is adopted or ended within seconds, as a rule. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** The workflow puts the task back into the queue, where the attempt that adopts the trainer may be the next. */
const TRY_AGAIN_MS = 5000;

export interface SlotsOptions {
  /** Null is the CPU, one slot of it. */
  readonly devices: readonly (GpuDevice | null)[];
  /**
   * Devices (`index`) of all trainers that live on this host: those whose slot is free here outlived their attempt, or
   * belong to another worker of the host. They are given only to the one that adopts.
   */
  readonly heldByTrainers: () => Promise<readonly number[]>;
  readonly patienceMs?: number;
}

interface Slot {
  readonly device: GpuDevice | null;
  taken: boolean;
}

export function createSlots({ devices, heldByTrainers, patienceMs = PATIENCE_MS }: SlotsOptions): GpuSlots {
  const slots = devices.map((device): Slot => ({ device, taken: false }));

  function take(slot: Slot): HeldSlot {
    slot.taken = true;
    let released = false;
    return {
      device: slot.device,
      release: () => {
        if (!released) slot.taken = false;
        released = true;
      },
    };
  }

  /** What is free now. The list of trainers comes first: nothing is awaited between looking and taking. */
  async function tryToTake({ adopting }: AcquireOptions): Promise<HeldSlot | null> {
    const indexOf = ({ device }: Slot): number | null => device?.index ?? null;
    // A device that this worker does not give out is no reason to leave its trainer to itself.
    const adopts = adopting !== undefined && slots.some((slot) => indexOf(slot) === adopting);
    const held = adopts ? [] : await heldByTrainers();
    const free = slots.find((slot) => {
      const index = indexOf(slot);
      return !slot.taken && (adopts ? index === adopting : index === null || !held.includes(index));
    });
    return free === undefined ? null : take(free);
  }

  return {
    count: slots.length,
    get free() {
      return slots.filter(({ taken }) => !taken).length;
    },
    acquire: async (options) => {
      const deadline = Date.now() + patienceMs;
      for (let told = false; ; told = true) {
        options.signal.throwIfAborted();
        const held = await tryToTake(options);
        if (held !== null) return held;
        if (Date.now() > deadline)
          throw new SecpiError('CAPACITY_UNAVAILABLE', 'other trainers hold the GPUs of this host.', {
            remedy: 'None is needed: a trainer left behind is adopted, or ends by itself.',
            retryAfterMs: TRY_AGAIN_MS,
          });
        if (!told) options.onWait?.();
        await delay(LOOK_EVERY_MS, undefined, { signal: options.signal });
      }
    },
  };
}

/** What a child sees of the GPUs: its own alone. A machine without one changes nothing. */
export function deviceEnvironment(device: Pick<GpuDevice, 'uuid'> | null): Record<string, string> {
  return device === null ? {} : { CUDA_VISIBLE_DEVICES: device.uuid, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
}
