/** The right to delete: one collection at a time, and only while writers can see what it is about to delete. */
import { randomUUID } from 'node:crypto';
import { SecpiError } from '../../../contract/errors.ts';
import { condemnedKey } from '../keys.ts';
import type { ObjectStore } from '../objectStore.ts';
import { flagForm, LEASE_MS, readFlag, type Condemned } from './condemned.ts';

type LeaseObjects = Pick<ObjectStore, 'get' | 'look' | 'uriOf' | 'putIfAbsent' | 'replaceIfMatch'>;

const RENEW_AFTER_MS = 60_000;
/** Writers take a flag for dead after LEASE_MS: the half in between covers a request that was sent at the last moment. */
export const LOST_AFTER_MS = LEASE_MS / 2;

/** Time since a moment, by whichever clock ran further: one stands still while a machine sleeps, one can be set back. */
export function stopWatch(): () => number {
  const [wallMs, steadyMs] = [Date.now(), performance.now()];
  return () => Math.max(Date.now() - wallMs, performance.now() - steadyMs);
}

export class SweepLease {
  readonly #store: LeaseObjects;
  readonly #collector: string;
  #etag: string;
  #turn = 0;
  #blobs: readonly string[] = [];
  #sinceMs: () => number;
  #renewal: Promise<void> | null = null;

  private constructor(store: LeaseObjects, collector: string, etag: string, sinceMs: () => number) {
    this.#store = store;
    this.#collector = collector;
    this.#etag = etag;
    this.#sinceMs = sinceMs;
  }

  /** Throws HEAD_FENCED while another collection lives. */
  static async take(store: LeaseObjects): Promise<SweepLease> {
    const collector = randomUUID();
    const sinceMs = stopWatch();
    const first = flagForm({ version: 1, collector, turn: 0, state: 'sweeping', blobs: [] });
    const present = await readFlag(store);
    if (present !== null && present.condemned.state === 'sweeping') {
      const ageMs = (await store.look(condemnedKey))?.ageMs ?? 0;
      if (ageMs <= LEASE_MS) throw busy(ageMs);
    }
    const isTaken =
      present === null
        ? (await store.putIfAbsent(condemnedKey, first)) !== 'conflict'
        : (await store.replaceIfMatch(condemnedKey, first, present.etag)).replaced;
    const own = isTaken ? await readFlag(store) : null;
    if (own?.condemned.collector !== collector) throw busy(0);
    return new SweepLease(store, collector, own.etag, sinceMs);
  }

  /** Tells writers what is about to go; what was told before is let go. */
  async condemn(blobs: readonly string[]): Promise<void> {
    await this.#renewal;
    this.#blobs = blobs;
    await this.#write('sweeping');
  }

  /** To be called before each delete, and often in between. Throws HEAD_FENCED when the lease is lost. */
  async keep(): Promise<void> {
    if (this.#sinceMs() > LOST_AFTER_MS) throw lost();
    if (this.#sinceMs() < RENEW_AFTER_MS && this.#renewal === null) return;
    this.#renewal ??= this.#write('sweeping').finally(() => {
      this.#renewal = null;
    });
    await this.#renewal;
    if (this.#sinceMs() > LOST_AFTER_MS) throw lost();
  }

  /** Only when every delete was answered: otherwise the flag stays until it is too old to count. */
  async release(): Promise<void> {
    await this.#renewal;
    this.#blobs = [];
    await this.#write('idle');
  }

  async #write(state: Condemned['state']): Promise<void> {
    const sinceMs = stopWatch();
    this.#turn += 1;
    const bytes = flagForm({
      version: 1,
      collector: this.#collector,
      turn: this.#turn,
      state,
      blobs: [...this.#blobs],
    });
    const written = await this.#store.replaceIfMatch(condemnedKey, bytes, this.#etag);
    if (!written.replaced) throw lost();
    this.#etag = written.etag;
    this.#sinceMs = sinceMs;
  }
}

function busy(ageMs: number): SecpiError {
  return new SecpiError(
    'HEAD_FENCED',
    `Another garbage collection of this store is at work, or ended ${Math.round(ageMs / 1000)} s ago without a word.`,
    { remedy: 'Try again in ten minutes.' },
  );
}

function lost(): SecpiError {
  return new SecpiError(
    'HEAD_FENCED',
    'The garbage collection stood still for too long, so that writers do not see it any more. It stopped; what it deleted was garbage.',
    { remedy: 'Run it again in ten minutes.' },
  );
}
