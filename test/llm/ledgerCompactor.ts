/** A process that merges the segments of a space, and kills itself before or after its n-th write to the store. */
import { z } from 'zod';
import { openLedger, type AnswerObjects } from '../../src/services/llm/ledger.ts';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import { TEST_CREDENTIALS, TEST_REGION } from '../store/server.ts';

const settingsSchema = z.object({
  endpoint: z.string(),
  bucket: z.string(),
  space: z.string(),
  localDir: z.string(),
  minRows: z.number(),
  /** Of the writes and deletions, from 1. */
  step: z.number(),
  moment: z.enum(['before', 'after']),
});
export type CompactorSettings = z.infer<typeof settingsSchema>;

const settings = settingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { endpoint, bucket, space, localDir, minRows, step, moment } = settings;
const objects = createObjectStore({ endpoint, region: TEST_REGION, bucket, credentials: TEST_CREDENTIALS });
let writes = 0;

async function write<T>(work: () => Promise<T>): Promise<T> {
  writes += 1;
  const own = writes;
  if (own === step && moment === 'before') process.kill(process.pid, 'SIGKILL');
  const result = await work();
  if (own === step) process.kill(process.pid, 'SIGKILL');
  return result;
}

const killing: AnswerObjects = {
  get: (key) => objects.get(key),
  getRange: (key, start, bytes) => objects.getRange(key, start, bytes),
  list: (prefix) => objects.list(prefix),
  putIfAbsent: (key, bytes) => write(() => objects.putIfAbsent(key, bytes)),
  delete: (key) => write(() => objects.delete(key)),
};
const ledger = await openLedger({ objects: killing, space, localDir, maxSegmentRows: minRows });
await ledger.compact();
await ledger.close();
