/** What the store knows of a batch job: a small object, written before the job exists and at each of its steps. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../store/canonicalJson.ts';
import { sha256Hex } from '../../store/hash.ts';
import { parseStored, storedForm } from '../../store/heads.ts';
import { answersPrefix } from '../../store/keys.ts';
import type { ObjectStore } from '../../store/objectStore.ts';

const base = {
  /** The artefact that pays for the job. */
  payer: z.string(),
  /** The run that asked: what its batches refused is not asked again by it, but by another run. */
  run: z.string(),
  attempt: z.int().positive(),
  /** Requests in the job. */
  requests: z.int().nonnegative(),
  /** Who creates the job; whoever takes over writes another. */
  writer: z.string(),
  createdAt: z.iso.datetime(),
};

const recordSchema = z.discriminatedUnion('state', [
  /** The job may exist or not: it is looked for before it is created. */
  z.strictObject({ ...base, state: z.literal('creating'), inputFileId: z.string().nullable() }),
  z.strictObject({ ...base, state: z.literal('created'), batchId: z.string() }),
  /** Its answers are in the store. */
  z.strictObject({ ...base, state: z.literal('done'), batchId: z.string() }),
  /** The provider did not do the job; it does not count as an attempt. */
  z.strictObject({
    ...base,
    state: z.literal('refused'),
    batchId: z.string().nullable(),
    reason: z.string(),
  }),
]);
export type BatchRecord = z.infer<typeof recordSchema>;
export type RecordIn<State extends BatchRecord['state']> = Extract<BatchRecord, { state: State }>;

/** What the batches need of an object store. */
export type BatchObjects = Pick<ObjectStore, 'get' | 'putIfAbsent' | 'replaceIfMatch' | 'uriOf'>;

/** SHA-256 over the request keys in order and the attempt: the job's name here and in the provider's metadata. */
export function batchKeyOf(keys: readonly string[], attempt: number): string {
  return sha256Hex(canonicalJson({ keys: [...keys], attempt }));
}

export const batchRecordKey = (space: string, batchKey: string): string =>
  `${answersPrefix(space)}batches/${batchKey}.json`;

export interface Stored<Record extends BatchRecord = BatchRecord> {
  readonly key: string;
  readonly etag: string;
  readonly record: Record;
}

export type NewRecord = Pick<BatchRecord, 'payer' | 'run' | 'attempt' | 'requests'>;

export class BatchRecords {
  readonly #objects: BatchObjects;
  readonly #space: string;

  constructor(objects: BatchObjects, space: string) {
    this.#objects = objects;
    this.#space = space;
  }

  async read(batchKey: string): Promise<Stored | null> {
    const key = batchRecordKey(this.#space, batchKey);
    const found = await this.#objects.get(key);
    if (found === null) return null;
    return { key, etag: found.etag, record: parseStored(recordSchema, found.bytes, this.uriOf(batchKey)) };
  }

  uriOf(batchKey: string): string {
    return this.#objects.uriOf(batchRecordKey(this.#space, batchKey));
  }

  /**
   * Makes this call the one that creates the job; `previous` is the record as it was read. Null when another was
   * faster. A creator that was taken for dead finds its etag gone when it stores the id.
   */
  async claim(
    batchKey: string,
    { payer, run, attempt, requests }: NewRecord,
    previous: Stored | null,
  ): Promise<Stored<RecordIn<'creating'>> | null> {
    const record: RecordIn<'creating'> = {
      payer,
      run,
      attempt,
      requests,
      state: 'creating',
      inputFileId: previous?.record.state === 'creating' ? previous.record.inputFileId : null,
      writer: randomUUID(),
      createdAt: new Date().toISOString(),
    };
    if (previous !== null) return this.replace(previous, record);
    const key = batchRecordKey(this.#space, batchKey);
    if ((await this.#objects.putIfAbsent(key, storedForm(record))) === 'conflict') return null;
    const stored = await this.read(batchKey);
    return stored?.record.writer === record.writer ? { ...stored, record } : null;
  }

  /** Null when the record is no more as it was read: another writer took over. */
  async replace<Next extends BatchRecord>(stored: Stored, record: Next): Promise<Stored<Next> | null> {
    const written = await this.#objects.replaceIfMatch(stored.key, storedForm(record), stored.etag);
    return written.replaced ? { key: stored.key, etag: written.etag, record } : null;
  }
}
