/**
 * Which blobs are named, and which small objects nobody can use any more. Looks again as often as it is asked to and
 * reads only what is new; what was named once stays named, so a collection errs towards keeping.
 */
import { artifactHeadSchema, trainingHeadSchema } from '../../../contract/manifest.ts';
import { sha256Hex } from '../hash.ts';
import type { ListedObject, ObjectStore } from '../objectStore.ts';
import { mapLimit } from '../parallel.ts';
import { blobsNamedIn, foldersThatNameNothing, placeOf, type GroupFile } from './places.ts';

type MarkObjects = Pick<ObjectStore, 'get' | 'list' | 'listNames'>;

interface Member {
  readonly object: ListedObject;
  readonly file: GroupFile;
}

interface Live {
  readonly key: string;
  readonly etag?: string;
  /** False of what its writer may still give up: it looks at the blobs again before the head says that it holds. */
  readonly holds: boolean;
}

/** What a head says of its folder. */
interface Ruling {
  readonly live: readonly Live[];
  readonly dead: readonly ListedObject[];
  /** The one that was published. */
  readonly manifest: { readonly key: string; readonly sha256: string } | null;
  /** Why everything is kept; null where the head is clear. */
  readonly note: string | null;
}

const REQUESTS_AT_ONCE = 16;
/** Objects that are no part of an artefact or training and name blobs are small JSON; a user's own data is not read. */
const MAX_LOOSE_BYTES = 16 * 1024 * 1024;

export class Marks {
  readonly #store: MarkObjects;
  /** By SHA-256 the key of the first object that names it. */
  readonly #named = new Map<string, string>();
  /** Of those, what an object names that holds. */
  readonly #promised = new Map<string, string>();
  /** ETags of what was read, by key. */
  readonly #read = new Map<string, string>();
  /** Members of a folder with their ETags as they were when it was judged. */
  readonly #judged = new Map<string, string>();
  readonly #dead = new Map<string, readonly ListedObject[]>();
  readonly #notes = new Map<string, string>();

  constructor(store: MarkObjects) {
    this.#store = store;
  }

  /** The object that names a blob; null for a blob that none names. */
  namedBy(sha256: string): string | null {
    return this.#named.get(sha256) ?? null;
  }

  /** The object that needs the blob to be there: one that holds. */
  promisedBy(sha256: string): string | null {
    return this.#promised.get(sha256) ?? null;
  }

  promised(): IterableIterator<[sha256: string, namedBy: string]> {
    return this.#promised.entries();
  }

  /**
   * Shard records of published artefacts, manifests under an epoch that was taken over, checkpoints off the list of an
   * earlier epoch. Whoever could use them again would have to write under an epoch that is past.
   */
  dead(): ListedObject[] {
    return [...this.#dead.values()].flat();
  }

  /** Folders whose head is missing or damaged: all that lies in them is kept. */
  notes(): string[] {
    return [...this.#notes.values()];
  }

  /** Sees every name that was written before the call. `alive` is called often. */
  async update(alive: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const groups = new Map<string, Member[]>();
    const loose: ListedObject[] = [];
    for await (const object of this.#objectsUnder('', alive)) {
      const place = placeOf(object.key);
      if (place.of === 'none') {
        if (object.key.endsWith('.json') && object.bytes <= MAX_LOOSE_BYTES) loose.push(object);
        continue;
      }
      const members = groups.get(place.folder) ?? [];
      members.push({ object, file: place.file });
      groups.set(place.folder, members);
    }
    await mapLimit(loose, REQUESTS_AT_ONCE, async (object) => {
      await alive();
      await this.#readNames({ ...object, holds: true });
    });
    await mapLimit([...groups], REQUESTS_AT_ONCE, async ([folder, members]) => {
      await alive();
      const signature = members.map(({ object }) => `${object.key} ${object.etag}`).join('\n');
      const hash = sha256Hex(signature);
      if (this.#judged.get(folder) === hash) return;
      await this.#judge(folder, members, alive);
      this.#judged.set(folder, hash);
    });
  }

  /** Depth first, leaving out the folders that name nothing. */
  async *#objectsUnder(prefix: string, alive: () => Promise<void>): AsyncGenerator<ListedObject> {
    await alive();
    if (foldersThatNameNothing.includes(prefix)) return;
    if (prefix !== '' && !foldersThatNameNothing.some((folder) => folder.startsWith(prefix))) {
      let listed = 0;
      for await (const object of this.#store.list(prefix)) {
        yield object;
        if ((listed += 1) % 1000 === 0) await alive();
      }
      return;
    }
    for (const name of await this.#store.listNames(prefix)) {
      if (name.endsWith('/')) yield* this.#objectsUnder(name, alive);
      else yield* this.#store.list(name);
    }
  }

  async #judge(folder: string, members: readonly Member[], alive: () => Promise<void>): Promise<void> {
    // Read after the listing: what the head rules out by its epoch was ruled out when it was listed, or since.
    const head = await this.#store.get(`${folder}/head.json`);
    const rule = folder.startsWith('trainings/') ? rulingOfTraining : rulingOfArtifact;
    let ruling = rule(folder, head?.bytes ?? null, members);
    if (ruling.manifest !== null && !(await this.#readManifest(ruling.manifest)))
      ruling = keepAll(members, `${folder}: the manifest that the head names is missing or damaged`);
    await mapLimit(ruling.live, REQUESTS_AT_ONCE, async (object) => {
      await alive();
      await this.#readNames(object);
    });
    this.#dead.set(folder, ruling.dead);
    if (ruling.note === null) this.#notes.delete(folder);
    else this.#notes.set(folder, ruling.note);
  }

  /** False when it is not what the head says. */
  async #readManifest({ key, sha256 }: { readonly key: string; readonly sha256: string }): Promise<boolean> {
    const found = await this.#store.get(key);
    if (found === null || sha256Hex(found.bytes) !== sha256) return false;
    this.#mark(key, found, true);
    return true;
  }

  async #readNames({ key, etag, holds }: Live): Promise<void> {
    if (etag !== undefined && this.#read.get(key) === etag) return;
    const found = await this.#store.get(key);
    // Gone since the listing: whoever deleted it took its names back first.
    if (found !== null) this.#mark(key, found, holds);
  }

  #mark(
    key: string,
    { bytes, etag }: { readonly bytes: Buffer; readonly etag: string },
    holds: boolean,
  ): void {
    this.#read.set(key, etag);
    for (const sha256 of blobsNamedIn(bytes.toString('latin1'))) {
      if (!this.#named.has(sha256)) this.#named.set(sha256, key);
      if (holds && !this.#promised.has(sha256)) this.#promised.set(sha256, key);
    }
  }
}

/** A building head: shard records and manifests of its epoch on. A published one: the manifest that it names. */
function rulingOfArtifact(folder: string, bytes: Buffer | null, members: readonly Member[]): Ruling {
  const head = parse(artifactHeadSchema, bytes);
  if (head === null) return keepAll(members, `${folder}: the head is missing or damaged`);
  const isDead = ({ file }: Member): boolean =>
    (file.is === 'manifest' && file.epoch < head.epoch) ||
    (file.is === 'shard' && head.state === 'published');
  const ruling = split(members, isDead);
  return head.state === 'building' ? ruling : { ...ruling, manifest: head.manifest };
}

/** Listed checkpoints, and those that the present epoch may list yet. */
function rulingOfTraining(folder: string, bytes: Buffer | null, members: readonly Member[]): Ruling {
  const head = parse(trainingHeadSchema, bytes);
  if (head === null) return keepAll(members, `${folder}: the head is missing or damaged`);
  const listed = new Set(head.checkpoints.map(({ key }) => key));
  const ruling = split(
    members,
    ({ object, file }) => file.is === 'checkpoint' && file.epoch < head.epoch && !listed.has(object.key),
  );
  return { ...ruling, live: [...ruling.live, ...[...listed].map((key) => ({ key, holds: true }))] };
}

function split(members: readonly Member[], isDead: (member: Member) => boolean): Ruling {
  const { live = [], dead = [] } = Object.groupBy(members, (member) => (isDead(member) ? 'dead' : 'live'));
  const isRecord = ({ file }: Member): boolean => file.is === 'shard';
  return {
    live: [
      ...liveOf(live.filter(isRecord), true),
      ...liveOf(
        live.filter((it) => !isRecord(it)),
        false,
      ),
    ],
    dead: objectsOf(dead),
    manifest: null,
    note: null,
  };
}

function keepAll(members: readonly Member[], problem: string): Ruling {
  const note = `${problem}; all that lies there is kept`;
  return { live: liveOf(members, true), dead: [], manifest: null, note };
}

const liveOf = (members: readonly Member[], holds: boolean): Live[] =>
  objectsOf(members).map(({ key, etag }) => ({ key, etag, holds }));

/** Heads name no blob. */
function objectsOf(members: readonly Member[]): ListedObject[] {
  return members.filter(({ file }) => file.is !== 'head').map(({ object }) => object);
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

function parse<T>(schema: Schema<T>, bytes: Buffer | null): T | null {
  if (bytes === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    // No JSON is no head either: the caller keeps everything and says so.
    return null;
  }
  const result = schema.safeParse(value);
  return result.success ? result.data : null;
}
