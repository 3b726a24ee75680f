/**
 * `npm run --silent bench:llm:bare`: the same work by nothing but an undici pool, nothing kept: the ceiling that the
 * production path is compared with. Environment: BASE_URL, N, CONC, PROMPTS. Prints `{rows, seconds, rowsPerSecond,
 * cpuMsPerRow}`.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';

const rows = Number(process.env['N'] ?? 5000);
const concurrency = Number(process.env['CONC'] ?? 256);
const base = new URL(process.env['BASE_URL'] ?? '');
const prompts: string[] = [];
for await (const line of createInterface({ input: createReadStream(process.env['PROMPTS'] ?? '') })) {
  if (prompts.length >= rows) break;
  prompts.push((JSON.parse(line) as { prompt: string }).prompt);
}
const pool = new Pool(base.origin, { connections: concurrency, pipelining: 1 });
const pending = prompts.values();
const startedMs = performance.now();
const startedCpu = process.cpuUsage();

async function lane(): Promise<void> {
  for (const prompt of pending) {
    const { body, statusCode } = await pool.request({
      method: 'POST',
      path: `${base.pathname.replace(/\/$/, '')}/chat/completions`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'bench',
        messages: [{ role: 'user', content: prompt }],
        max_tokens: 2048,
      }),
    });
    const answer = (await body.json()) as { choices: { message: { content: string } }[] };
    if (statusCode !== 200 || answer.choices[0] === undefined) throw new Error(`HTTP ${statusCode}`);
  }
}

await Promise.all(Array.from({ length: concurrency }, lane));
const seconds = (performance.now() - startedMs) / 1000;
const { user, system } = process.cpuUsage(startedCpu);
console.log(
  JSON.stringify({
    rows: prompts.length,
    seconds,
    rowsPerSecond: prompts.length / seconds,
    cpuMsPerRow: (user + system) / 1000 / prompts.length,
  }),
);
await pool.close();
