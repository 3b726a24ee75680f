/** Things that the activities of a process share while some of them use it: a ledger, an endpoint, a purse. */

export interface SharedPool<Thing> {
  /** Opens it for the first who asks; it is closed when nobody has used it for a while. */
  use<T>(key: string, open: () => Promise<Thing>, work: (thing: Thing) => Promise<T>): Promise<T>;
  /** Closes what is idle now; to be called when no activity runs any more. */
  close(): Promise<void>;
}

interface Entry<Thing> {
  readonly thing: Promise<Thing>;
  users: number;
  idle: NodeJS.Timeout | null;
}

/** `lingerMs`: what it costs to open again (an index to load, limits to learn) is not paid between two shards. */
export function createSharedPool<Thing>(
  closeThing: (thing: Thing) => Promise<void>,
  { lingerMs, onCloseError }: { lingerMs: number; onCloseError: (error: unknown) => void },
): SharedPool<Thing> {
  const entries = new Map<string, Entry<Thing>>();
  const closing = new Map<string, Promise<void>>();
  const end = (key: string, entry: Entry<Thing>): void => {
    if (entry.users > 0 || entries.get(key) !== entry) return;
    if (entry.idle !== null) clearTimeout(entry.idle);
    entries.delete(key);
    const ended = entry.thing
      // What could not open has nothing to close; those who asked for it have its reason.
      .then(closeThing, () => undefined)
      .catch(onCloseError)
      .finally(() => closing.delete(key));
    closing.set(key, ended);
  };
  return {
    use: async (key, open, work) => {
      // Opened anew only when the one before has let go of its files.
      await closing.get(key);
      const entry: Entry<Thing> = entries.get(key) ?? { thing: open(), users: 0, idle: null };
      entries.set(key, entry);
      entry.users += 1;
      if (entry.idle !== null) clearTimeout(entry.idle);
      entry.idle = null;
      try {
        return await work(await entry.thing);
      } catch (error) {
        // A failed opening must not be what the next attempt gets.
        if (await isRejected(entry.thing)) entries.delete(key);
        throw error;
      } finally {
        entry.users -= 1;
        if (entry.users === 0 && entries.get(key) === entry) {
          entry.idle = setTimeout(() => end(key, entry), lingerMs);
          entry.idle.unref();
        }
      }
    },
    close: async () => {
      for (const [key, entry] of entries) end(key, entry);
      await Promise.all(closing.values());
    },
  };
}

async function isRejected(promise: Promise<unknown>): Promise<boolean> {
  return await promise.then(
    () => false,
    () => true,
  );
}
