/** What the trainers of a host say, read from its disk within milliseconds: a kill must come inside a save. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { trainerEventSchema, type TrainerEvent } from '../../src/services/train/trainerProtocol.ts';

const LOOK_EVERY_MS = 5;
const LOOK_FOR_FILES_EVERY_MS = 100;
const NEWLINE = 10;
/** A home that is being removed has another name; its events were read under its own. */
const HOME_NAME = /^[0-9a-f]{16}$/u;

export type EventName = TrainerEvent['event'];
/** An event and when it was seen, by this machine's clock. */
export type Seen<Name extends EventName = EventName> = Extract<TrainerEvent, { event: Name }> & {
  readonly seenMs: number;
};

export interface TrainEvents {
  /** In order; of all trainings and attempts of the host. */
  readonly all: readonly Seen[];
  of<Name extends EventName>(name: Name): Seen<Name>[];
  /** The first that fits, of those seen and those to come; `act` runs in the tick in which it is seen. */
  first<Name extends EventName>(wanted: Wanted<Name>, act?: (event: Seen<Name>) => void): Promise<Seen<Name>>;
  /** Reads what was written up to now. */
  look(): void;
  stop(): void;
}

export interface Wanted<Name extends EventName> {
  readonly name: Name;
  readonly fits?: (event: Seen<Name>) => boolean;
  readonly withinMs?: number;
}

interface Tailed {
  readonly path: string;
  offset: number;
  rest: Buffer;
}

export function watchTrainEvents(trainingsDir: string): TrainEvents {
  const all: Seen[] = [];
  const files = new Map<string, Tailed>();
  const waiting = new Set<(event: Seen) => void>();
  let lookedForFilesMs = 0;

  const findFiles = (): void => {
    for (const name of entriesOf(trainingsDir).filter((each) => HOME_NAME.test(each))) {
      const path = join(trainingsDir, name, 'events.jsonl');
      const stats = statSync(path, { throwIfNoEntry: false });
      // A later attempt on this host writes a file of its own under the same name.
      const key = `${path}:${stats?.ino}`;
      if (stats !== undefined && !files.has(key)) files.set(key, { path, offset: 0, rest: Buffer.alloc(0) });
    }
  };
  const look = (): void => {
    const seenMs = Date.now();
    if (seenMs - lookedForFilesMs > LOOK_FOR_FILES_EVERY_MS) {
      lookedForFilesMs = seenMs;
      findFiles();
    }
    for (const file of files.values()) {
      for (const event of newEvents(file)) {
        const seen = { ...event, seenMs };
        all.push(seen);
        for (const tell of waiting) tell(seen);
      }
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const isNamed =
    <Name extends EventName>(name: Name) =>
    (event: Seen): event is Seen<Name> =>
      event.event === name;

  return {
    all,
    of: (name) => all.filter(isNamed(name)),
    async first({ name, fits = () => true, withinMs = 240_000 }, act = () => undefined) {
      const isWanted = isNamed(name);
      const before = all.filter(isWanted).find(fits);
      if (before !== undefined) {
        act(before);
        return before;
      }
      const { promise, resolve, reject } = Promise.withResolvers<Seen<typeof name>>();
      const tell = (event: Seen): void => {
        if (!isWanted(event) || !fits(event)) return;
        waiting.delete(tell);
        act(event);
        resolve(event);
      };
      waiting.add(tell);
      const late = setTimeout(
        () => reject(new Error(`no "${name}" of a trainer within ${withinMs} ms in ${trainingsDir}`)),
        withinMs,
      );
      try {
        return await promise;
      } finally {
        clearTimeout(late);
        waiting.delete(tell);
      }
    },
    look,
    stop: () => clearInterval(timer),
  };
}

function entriesOf(dir: string): string[] {
  return statSync(dir, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(dir);
}

function newEvents(file: Tailed): TrainerEvent[] {
  const size = statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= file.offset) return [];
  const bytes = Buffer.alloc(size - file.offset);
  const fd = openSync(file.path, 'r');
  try {
    file.offset += readSync(fd, bytes, 0, bytes.length, file.offset);
  } finally {
    closeSync(fd);
  }
  const text = Buffer.concat([file.rest, bytes]);
  const end = text.lastIndexOf(NEWLINE) + 1;
  file.rest = text.subarray(end);
  return text
    .toString('utf8', 0, end)
    .split('\n')
    .filter((line) => line.startsWith('{"event"'))
    .map((line) => trainerEventSchema.parse(JSON.parse(line)));
}
