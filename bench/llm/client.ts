/**
 * `npm run --silent bench:llm`: puts prompts through the production path (workflow, worker, ledger, S3) and leaves
 * `$WORK/out.jsonl`, a line `{"id": int, "answer": string | null}` for every prompt, in their order. All state is in
 * `$WORK`: started again after a kill -9 of its whole process group, it goes on.
 *
 * Environment: BASE_URL (root of an OpenAI-compatible API), OPENAI_API_KEY, N (prompts), CONC (requests in flight),
 * WORK (a folder that outlives a kill), PROMPTS (JSON Lines `{"id", "prompt"}`); optional MODEL, CAP_USD with
 * PRICE (USD per million tokens), WORKERS (processes), SHARD_ROWS.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { connectCluster, connectStore } from '../../src/cli/connections.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { readCredentials } from '../../src/cli/stack/credentials.ts';
import { startStack, workerEnvironment } from '../../src/cli/stack/stack.ts';
import { statePaths } from '../../src/cli/stack/stackState.ts';
import { ensureTools } from '../../src/cli/tools.ts';
import { answeredRowSchema } from '../../src/contract/rows.ts';
import { askInputSchema, queues, type StageResult } from '../../src/contract/workflows.ts';
import { normaliseRecord } from '../../src/services/dataset/normalise.ts';
import { readRows, type Store } from '../../src/services/store/index.ts';
import { workerArguments } from '../../src/workers/command.ts';
import { cpuSecondsOf, peakMemoryMiBOf } from './processFigures.ts';

const WORKFLOW_ID = 'bench';
const MAX_PROMPT_CHARACTERS = 10_000_000;

const required = (name: string): string => {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  throw new Error(`set ${name}`);
};
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const work = resolve(required('WORK'));
const prompts = resolve(required('PROMPTS'));
const rows = Number(required('N'));
const concurrency = Number(required('CONC'));
const priceUsd = Number(process.env['PRICE'] ?? 0);

const input = askInputSchema.parse({
  version: 1,
  dataset: {
    uri: prompts,
    format: 'jsonl',
    fields: { task: 'prompt', id: 'id' },
    limitRows: rows,
    maxTaskCharacters: MAX_PROMPT_CHARACTERS,
    // Every prompt is asked, however much like another.
    nearDuplicates: { removeFrom: 1, groupFrom: 1 },
    decontaminate: [],
  },
  model: {
    baseUrl: required('BASE_URL'),
    model: process.env['MODEL'] ?? 'bench',
    apiKeyEnv: 'OPENAI_API_KEY',
    concurrency,
    priceUsdPerMillionTokens: { prompt: priceUsd, completion: priceUsd },
  },
  shardRows: Number(process.env['SHARD_ROWS'] ?? 500),
  parallelShards: 8,
  // A row that is given up is a null in the output, not the end of the run.
  maxBadRowShare: 1,
  ...(process.env['CAP_USD'] === undefined ? {} : { budget: { capUsd: Number(process.env['CAP_USD']) } }),
});

await mkdir(work, { recursive: true });
const inherited = Object.entries(process.env).filter(
  ([name]) => !/^(?:TEMPORAL_|AWS_|SECPI_(?:STATE|BUCKET))/.test(name),
);
const settings = readSettings({ ...Object.fromEntries(inherited), SECPI_STATE: join(work, 'state') });
const tools = ensureTools(settings.root, settings.env);
const interrupted = Promise.withResolvers<never>();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.reject(new Error(`interrupted by ${signal}`)));
interrupted.promise.catch(() => undefined);
const stack = await startStack({ settings, tools, say, withWorker: false });
const workers: ChildProcess[] = [];
try {
  const store = await connectStore(settings, stack.state);
  const cluster = await connectCluster(settings, stack.state);
  const credentials = await readCredentials(statePaths(settings.state).credentials);
  const environment = workerEnvironment(settings, tools, stack.state, credentials);
  const log = await open(join(work, 'worker.log'), 'a');
  const startWorker = (kinds: readonly string[]): ChildProcess => {
    const child = spawn(tools.node, workerArguments(settings.root, kinds), {
      env: environment,
      stdio: ['ignore', log.fd, log.fd],
    });
    workers.push(child);
    return child;
  };
  // Workflows are decided in one process, models asked in another: the latter is what is measured.
  startWorker(['control']);
  const worker = startWorker(['data']);
  for (let more = 1; more < Number(process.env['WORKERS'] ?? 1); more += 1) startWorker(['data']);
  const { workflow } = cluster.client;
  try {
    await workflow.start('askModel', { taskQueue: queues.control, workflowId: WORKFLOW_ID, args: [input] });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    say('Going on with the run that was interrupted.');
  }
  const startedMs = Date.now();
  const figures = { cpuSeconds: 0, peakMiB: 0 };
  const sampling = setInterval(() => {
    figures.cpuSeconds = cpuSecondsOf(worker.pid ?? 0) ?? figures.cpuSeconds;
    figures.peakMiB = peakMemoryMiBOf(worker.pid ?? 0) ?? figures.peakMiB;
  }, 250);
  const result = (await Promise.race([
    workflow.getHandle(WORKFLOW_ID).result(),
    interrupted.promise,
  ])) as StageResult;
  clearInterval(sampling);
  await writeAnswers(store, result, join(work, 'out.jsonl'));
  const historyEvents: number[] = [];
  for await (const run of workflow.list({ query: `WorkflowId = "${WORKFLOW_ID}"` }))
    historyEvents.push(run.historyLength ?? 0);
  say(
    JSON.stringify({
      rows: result.artifact.rows,
      seconds: (Date.now() - startedMs) / 1000,
      workerCpuMsPerRow: (figures.cpuSeconds * 1000) / result.artifact.rows,
      workerPeakMiB: figures.peakMiB,
      historyEvents,
      usage: result.usage,
      counts: result.counts,
    }),
  );
  store.objects.close();
  await cluster.close();
  await log.close();
} finally {
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(workers.map(async (worker) => worker.exitCode ?? (await once(worker, 'exit'))));
  await stack.stop();
}

/** Equal prompts were asked once: each of their ids gets the answer. */
async function writeAnswers(source: Store, result: StageResult, path: string): Promise<void> {
  const manifest = await source.artifacts.readByUri(result.artifact.uri);
  const byId = new Map<string, string>();
  for await (const { id, answer } of readRows(
    source.blobs,
    manifest.parts['answers'] ?? [],
    {},
    answeredRowSchema,
  ))
    byId.set(id, answer);
  const byTask = new Map<string, string>();
  const part = `${path}.part`;
  const lines = async function* (): AsyncGenerator<string> {
    let read = 0;
    for await (const line of createInterface({ input: createReadStream(prompts) })) {
      if (read >= rows) return;
      read += 1;
      const { id, prompt } = JSON.parse(line) as { id: number; prompt: string };
      const normalised = normaliseRecord({ prompt, id }, input.dataset);
      const task = normalised.kind === 'task' ? normalised.row.taskSha256 : '';
      const answer = byId.get(String(id)) ?? byTask.get(task) ?? null;
      if (answer !== null) byTask.set(task, answer);
      yield `${JSON.stringify({ id, answer })}\n`;
    }
  };
  await pipeline(lines, createWriteStream(part));
  await rename(part, path);
}
