/** Child process of blobs.test.ts: uploads a file as a blob, reads it back, prints the peak of its memory. */
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../src/services/store/index.ts';
import { TEST_CREDENTIALS, TEST_REGION } from './server.ts';

const [endpoint = '', bucket = '', dir = '', mebibytes = '0'] = process.argv.slice(2);
const { blobs, objects } = openStore({
  endpoint,
  region: TEST_REGION,
  credentials: TEST_CREDENTIALS,
  bucket,
});
const source = join(dir, `source-${mebibytes}`);
const target = join(dir, `target-${mebibytes}`);

const file = await open(source, 'w');
for (let block = 0; block < Number(mebibytes); block += 1) {
  const seed = createHash('sha256').update(`${mebibytes}/${block}`).digest();
  await file.write(Buffer.alloc(1024 * 1024, seed));
}
await file.close();
const ref = await blobs.putFile(source);
await blobs.readToFile(ref, target);
await rm(source);
await rm(target);
objects.close();
process.stdout.write(JSON.stringify({ peakRssMib: process.resourceUsage().maxRSS / 1024 }));
