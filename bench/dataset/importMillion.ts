/**
 * Imports synthetic rows of about 300 characters, 5 % of them near-duplicates of earlier ones with a known similarity,
 * through the activity of the data worker into a real S3 server, and prints seconds, memory, the longest time for which
 * the event loop was held, and precision and recall against the exact Jaccard similarities.
 *
 * Usage: node [--max-semi-space-size=8] bench/dataset/importMillion.ts [ROWS, default 1000000]
 * Without the flag V8 lets its young generation grow to about 100 MiB before it collects.
 * Needs the S3 server of the setup ($SECPI_CACHE/bin/versitygw) and about 1 KB of disk a row.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { importDataset } from '../../src/activities/importDataset.ts';
import type { Deps } from '../../src/activities/deps.ts';
import type { ActivityRun } from '../../src/activities/runActivity.ts';
import { datasetSchema } from '../../src/contract/recipe.ts';
import { excludedRowSchema, taskRowSchema } from '../../src/contract/rows.ts';
import { readRows } from '../../src/services/store/index.ts';
import { startServer } from '../../test/store/server.ts';
import { score, type Outcome } from './scoreGroups.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const dir = await mkdtemp(join(tmpdir(), 'secpi-bench-'));
const server = await startServer();
try {
  const generator = fileURLToPath(new URL('generateRows.ts', import.meta.url));
  const [code] = (await once(
    spawn(process.execPath, [generator, String(rows), dir], { stdio: 'inherit' }),
    'exit',
  )) as [number];
  if (code !== 0) throw new Error(`the generator ended with ${code}`);

  const store = await server.openStore();
  const deps: Deps = {
    store,
    paths: {
      baseDir: dir,
      cacheDir: dir,
      stateDir: dir,
      pythonPath: '',
      trainerSourceDir: '',
      suiteDir: dir,
    },
    environment: {},
  };
  const owner = { namespace: 'bench', workflowId: 'import', runId: 'import', writer: '' };
  const run = {
    signal: new AbortController().signal,
    owner,
    progress: () => undefined,
  } as unknown as ActivityRun;
  const dataset = datasetSchema.parse({ uri: 'rows.jsonl', decontaminate: [] });

  const baseline = process.memoryUsage.rss();
  let peak = process.memoryUsage();
  let heldMs = 0;
  let lastCpu = process.threadCpuUsage();
  // CPU of this thread between two turns: unlike wall time, it does not count what other processes took.
  const watch = setInterval(() => {
    const memory = process.memoryUsage();
    if (memory.rss > peak.rss) peak = memory;
    const cpu = process.threadCpuUsage(lastCpu);
    heldMs = Math.max(heldMs, (cpu.user + cpu.system) / 1000);
    lastCpu = process.threadCpuUsage();
  }, 10);
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const imported = await importDataset(deps, run, { dataset, reuse: 'always' });
  if ('heldBy' in imported) throw new Error(`held by ${imported.heldBy}`);
  const result = imported;
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  clearInterval(watch);

  const manifest = await store.artifacts.readByUri(result.artifact.uri);
  const outcomes: Outcome[] = [];
  for await (const row of readRows(store.blobs, manifest.parts['tasks'] ?? [], {}, taskRowSchema))
    outcomes[Number(row.id)] = { kept: row.index, group: row.group };
  for await (const row of readRows(store.blobs, manifest.parts['excluded'] ?? [], {}, excludedRowSchema))
    outcomes[Number(row.id)] = { kept: null, like: Number(/like row (\d+)$/u.exec(row.detail)?.[1]) };
  const truth = z
    .array(z.tuple([z.number(), z.number(), z.number()]))
    .parse(JSON.parse(await readFile(join(dir, 'truth.json'), 'utf8')));
  const MiB = 2 ** 20;
  console.log({
    rows,
    seconds: Math.round(seconds),
    rowsPerSecond: Math.round(rows / seconds),
    cpuSeconds: Math.round((cpu.user + cpu.system) / 1e6),
    baselineMiB: Math.round(baseline / MiB),
    peakMiB: Math.round(peak.rss / MiB),
    ofThatHeapMiB: Math.round(peak.heapTotal / MiB),
    ofThatBuffersMiB: Math.round(peak.arrayBuffers / MiB),
    loopHeldAtMostCpuMs: Math.round(heldMs),
    counts: result.counts,
    ...score(truth, outcomes, dataset.nearDuplicates),
  });
} finally {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}
