/** `npm run schemas`: writes schemas/*.schema.json from the contract. A test compares them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { jsonSchemas } from '../src/contract/jsonSchemas.ts';

const dir = fileURLToPath(new URL('../schemas/', import.meta.url));
await mkdir(dir, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  await writeFile(`${dir}${name}`, `${JSON.stringify(schema, null, 2)}\n`);
}
