/**
 * `npm run --silent bench:llm:compare`: the production path beside the bare HTTP loop, on the same work in one run.
 * Environment: N (5000), CONC (256), LATENCY_MS (50).
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  bareLoop,
  figuresOf,
  startClient,
  startEndpoint,
  steadyRate,
  writePrompts,
  type BenchEndpoint,
} from './parts.ts';

const rows = Number(process.env['N'] ?? 5000);
const concurrency = Number(process.env['CONC'] ?? 256);
const latency = Number(process.env['LATENCY_MS'] ?? 50);
const work = await mkdtemp(join(tmpdir(), 'secpi-bench-'));
try {
  const prompts = join(work, 'prompts.jsonl');
  await writePrompts(prompts, rows);
  const bare = await withEndpoint(async ({ url }) => {
    const { stdout } = await promisify(execFile)(process.execPath, [bareLoop], {
      env: { ...process.env, BASE_URL: url, N: String(rows), CONC: String(concurrency), PROMPTS: prompts },
    });
    return JSON.parse(stdout) as { rowsPerSecond: number; cpuMsPerRow: number };
  });
  const { figures, steady, total } = await withEndpoint(async (endpoint) => {
    const client = startClient({ url: endpoint.url, work: join(work, 'run'), prompts, rows, concurrency });
    const printed = await figuresOf(client);
    const { answersByTenth, answered } = await endpoint.counts();
    return { figures: printed, steady: steadyRate(answersByTenth), total: answered };
  });
  console.log(
    JSON.stringify(
      {
        rows,
        concurrency,
        latencyMs: latency,
        bareRowsPerSecond: Math.round(bare.rowsPerSecond),
        bareCpuMsPerRow: Number(bare.cpuMsPerRow.toFixed(3)),
        steadyRowsPerSecond: Math.round(steady),
        ratio: Number((steady / bare.rowsPerSecond).toFixed(3)),
        answered: total,
        ...figures,
      },
      null,
      2,
    ),
  );
} finally {
  await rm(work, { recursive: true, force: true });
}

async function withEndpoint<T>(measure: (endpoint: BenchEndpoint) => Promise<T>): Promise<T> {
  const endpoint = await startEndpoint({ LATENCY_MS: latency });
  try {
    return await measure(endpoint);
  } finally {
    await endpoint.stop();
  }
}
