/** `stack.json`: what runs, where, and who started it. Holds no secrets. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeWhole } from './files.ts';
import { processIdentitySchema } from './processIdentity.ts';

const temporalSchema = z.strictObject({
  address: z.string(),
  namespace: z.string(),
  /** Null for a cluster of the user's own, whose UI is not known. */
  uiUrl: z.string().nullable(),
  embedded: z.boolean(),
});

const s3Schema = z.strictObject({
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  embedded: z.boolean(),
});

export const stackStateSchema = z.strictObject({
  version: z.literal(1),
  owner: processIdentitySchema,
  startedAt: z.iso.datetime(),
  ready: z.boolean(),
  temporal: temporalSchema,
  s3: s3Schema,
  teacherUrl: z.string(),
  processes: z.array(processIdentitySchema.extend({ name: z.string(), log: z.string() })),
});
export type StackState = z.infer<typeof stackStateSchema>;

/** Places inside the state folder. */
export function statePaths(state: string) {
  return {
    stack: join(state, 'stack.json'),
    lock: join(state, 'stack.lock'),
    credentials: join(state, 'credentials.json'),
    temporalDb: join(state, 'temporal.db'),
    s3Data: join(state, 's3/data'),
    s3Versions: join(state, 's3/versions'),
    work: join(state, 'work'),
    log: (name: string) => join(state, 'logs', `${name}.log`),
  };
}

export async function readStackState(state: string): Promise<StackState | null> {
  return await readJson(statePaths(state).stack, stackStateSchema);
}

export async function writeStackState(state: string, value: StackState): Promise<void> {
  await writeWhole(statePaths(state).stack, `${JSON.stringify(value, null, 2)}\n`);
}
