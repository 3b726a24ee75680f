/** An object store in memory, for what is no matter of S3; the real server is used in `ledgerKill.test.ts`. */
import type { AnswerObjects } from '../../src/services/llm/ledger.ts';

export interface MemoryObjects extends AnswerObjects {
  readonly objects: Map<string, Buffer>;
  /** While set, every request fails with it. */
  failure: Error | null;
  gets: string[];
}

export function memoryObjects(): MemoryObjects {
  const objects = new Map<string, Buffer>();
  const store: MemoryObjects = {
    objects,
    failure: null,
    gets: [],
    async get(key) {
      if (store.failure !== null) throw store.failure;
      store.gets.push(key);
      const bytes = objects.get(key);
      return bytes === undefined ? null : { bytes, etag: '' };
    },
    async getRange(key, start, bytes) {
      const object = await store.get(key);
      return object === null ? null : object.bytes.subarray(start, start + bytes);
    },
    async delete(key) {
      if (store.failure !== null) throw store.failure;
      objects.delete(key);
    },
    async putIfAbsent(key, bytes) {
      if (store.failure !== null) throw store.failure;
      const present = objects.get(key);
      if (present !== undefined) return present.equals(bytes) ? 'same' : 'conflict';
      objects.set(key, Buffer.from(bytes));
      return 'created';
    },
    async *list(prefix) {
      if (store.failure !== null) throw store.failure;
      for (const [key, bytes] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (key.startsWith(prefix)) yield { key, bytes: bytes.length, etag: '', lastModified: new Date(0) };
      }
    },
  };
  return store;
}
