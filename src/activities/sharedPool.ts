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
      .then(closeThing)
      .catch(onCloseError)
      .finally(() => closing.delete(key));
    closing.set(key, ended);
  };
  const begin = (key: string, open: () => Promise<Thing>): Entry<Thing> => {
    const entry: Entry<Thing> = { thing: open(), users: 0, idle: null };
    entries.set(key, entry);
    // A failed opening must not be what the next attempt gets; those who asked for it have its reason.
    entry.thing.catch(() => {
      if (entries.get(key) === entry) entries.delete(key);
    });
    return entry;
  };
  return {
    use: async (key, open, work) => {
      // Opened anew only when the one before has let go of its files.
      while (closing.has(key)) await closing.get(key);
      const entry = entries.get(key) ?? begin(key, open);
      entry.users += 1;
      if (entry.idle !== null) clearTimeout(entry.idle);
      entry.idle = null;
      try {
        return await work(await entry.thing);
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
