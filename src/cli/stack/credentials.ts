/** The embedded S3 server's key pair: made at the first start, readable by its owner only, never printed. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readJson, writeWhole } from './files.ts';

const credentialsSchema = z.strictObject({
  accessKeyId: z.string().min(16),
  secretAccessKey: z.string().min(32),
});
export type Credentials = z.infer<typeof credentialsSchema>;

export async function ensureCredentials(path: string): Promise<Credentials> {
  const known = await readCredentials(path);
  if (known !== null) return known;
  const made = {
    accessKeyId: randomBytes(12).toString('hex').toUpperCase(),
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
  await writeWhole(path, `${JSON.stringify(made)}\n`, 0o600);
  return made;
}

export async function readCredentials(path: string): Promise<Credentials | null> {
  return await readJson(path, credentialsSchema);
}
