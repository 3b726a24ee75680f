/**
 * The model registry: under each name versions 1, 2, … that are never changed, and one `current`. Both are conditional
 * writes, so that writers that race are put in an order and none is lost.
 */
import { SecpiError } from '../../contract/errors.ts';
import { decodeName, modelCurrentKey, modelVersionKey, type Store } from '../store/index.ts';
import { parseStored, storedForm } from '../store/heads.ts';
import { mapLimit } from '../store/parallel.ts';
import {
  currentSchema,
  modelEntrySchema,
  type Actor,
  type Current,
  type ModelDescription,
  type ModelEntry,
} from './entry.ts';
import { modelCard } from './modelCard.ts';
import type { NamedVersion } from './modelName.ts';

export interface ListedModel {
  readonly name: string;
  /** Ascending. */
  readonly versions: readonly number[];
  readonly current: Current | null;
}

export interface Registry {
  /** Enters a model as the next version; one content is entered once under a name, and returned again. */
  enter(description: ModelDescription): Promise<ModelEntry>;
  /** MODEL_VERSION_NOT_FOUND. */
  read(name: string, version: number): Promise<ModelEntry>;
  /** The version named; else the current one, else the newest. MODEL_VERSION_NOT_FOUND. */
  resolve(wanted: NamedVersion): Promise<ModelEntry>;
  /** Ascending; empty for a name that nobody used. */
  versions(name: string): Promise<number[]>;
  current(name: string): Promise<Current | null>;
  /** By name. */
  list(): Promise<ListedModel[]>;
  /**
   * Makes a version current. One that is current already is left so. With `from` only if that one still is (null:
   * none). PROMOTION_CONFLICT when another version was promoted meanwhile; MODEL_VERSION_NOT_FOUND.
   */
  promote(request: PromoteRequest): Promise<Current>;
}

export interface PromoteRequest {
  readonly name: string;
  readonly version: number;
  readonly by: Actor;
  /** What the decision was made on; absent: whatever is current now. */
  readonly from?: number | null;
}

const PREFIX = 'models/';
const REQUESTS_AT_ONCE = 16;

export function createRegistry({ objects, blobs }: Pick<Store, 'objects' | 'blobs'>): Registry {
  async function find(name: string, version: number): Promise<ModelEntry | null> {
    const key = modelVersionKey(name, String(version));
    const found = await objects.get(key);
    return found === null ? null : parseStored(modelEntrySchema, found.bytes, objects.uriOf(key));
  }

  async function readCurrent(name: string): Promise<{ current: Current; etag: string } | null> {
    const key = modelCurrentKey(name);
    const found = await objects.get(key);
    if (found === null) return null;
    return { current: parseStored(currentSchema, found.bytes, objects.uriOf(key)), etag: found.etag };
  }

  const registry: Registry = {
    async enter(description) {
      const { name, contentSha256 } = description;
      const versions = await registry.versions(name);
      const entries = await mapLimit(versions, REQUESTS_AT_ONCE, (version) => find(name, version));
      const same = entries.find((entry) => entry?.contentSha256 === contentSha256);
      if (same) return same;
      // Each refused write names an entry that was not seen before: it may hold the same content.
      for (let version = (versions.at(-1) ?? 0) + 1; ; version += 1) {
        const subject = { ...description, version };
        const card = await blobs.putBytes(Buffer.from(modelCard(subject)));
        const entry = modelEntrySchema.parse({ ...subject, card });
        const written = await objects.putIfAbsent(modelVersionKey(name, String(version)), storedForm(entry));
        if (written !== 'conflict') return entry;
        const other = await find(name, version);
        if (other?.contentSha256 === contentSha256) return other;
      }
    },

    async read(name, version) {
      const entry = await find(name, version);
      if (entry !== null) return entry;
      const versions = await registry.versions(name);
      throw new SecpiError(
        'MODEL_VERSION_NOT_FOUND',
        versions.length === 0
          ? `nothing is registered under the name "${name}".`
          : `"${name}" has no version ${version}; it has ${versions.join(', ')}.`,
      );
    },

    async resolve({ name, version }) {
      if (version !== null) return await registry.read(name, version);
      const current = await registry.current(name);
      return await registry.read(name, current?.version ?? (await registry.versions(name)).at(-1) ?? 1);
    },

    async versions(name) {
      const prefix = modelCurrentKey(name).replace(/current$/u, '');
      const found: number[] = [];
      for await (const { key } of objects.list(prefix)) {
        const version = versionOf(key.slice(prefix.length));
        if (version !== null) found.push(version);
      }
      return found.sort((a, b) => a - b);
    },

    current: async (name) => (await readCurrent(name))?.current ?? null,

    async list() {
      const versions = new Map<string, number[]>();
      for await (const { key } of objects.list(PREFIX)) {
        const [segment = '', file = ''] = key.slice(PREFIX.length).split('/');
        const version = versionOf(file);
        if (version === null) continue;
        const name = decodeName(segment);
        versions.set(name, [...(versions.get(name) ?? []), version]);
      }
      const names = [...versions.keys()].sort();
      return await mapLimit(names, REQUESTS_AT_ONCE, async (name) => ({
        name,
        versions: (versions.get(name) ?? []).sort((a, b) => a - b),
        current: await registry.current(name),
      }));
    },

    async promote({ name, version, by, from }) {
      await registry.read(name, version);
      const before = await readCurrent(name);
      if (before?.current.version === version) return before.current;
      const previous = before?.current.version ?? null;
      if (from !== undefined && from !== previous) throw overtaken(name, version, before?.current ?? null);
      const next: Current = { version, promotedAt: new Date().toISOString(), by, previous };
      const key = modelCurrentKey(name);
      const written =
        before === null
          ? (await objects.putIfAbsent(key, storedForm(next))) !== 'conflict'
          : (await objects.replaceIfMatch(key, storedForm(next), before.etag)).replaced;
      if (written) return next;
      const now = await registry.current(name);
      if (now?.version === version) return now;
      throw overtaken(name, version, now);
    },
  };
  return registry;
}

/** `12.json` → 12; null for anything else, as `current`. */
function versionOf(file: string): number | null {
  const digits = /^([1-9]\d{0,8})\.json$/u.exec(file)?.[1];
  return digits === undefined ? null : Number(digits);
}

function overtaken(name: string, version: number, now: Current | null): SecpiError {
  const holder = now === null ? 'no version is' : `version ${now.version} is (since ${now.promotedAt})`;
  return new SecpiError(
    'PROMOTION_CONFLICT',
    `version ${version} of "${name}" was not promoted: ${holder} current now.`,
    { remedy: `Look at \`npx secpi models show ${name}\`, and decide again.` },
  );
}
