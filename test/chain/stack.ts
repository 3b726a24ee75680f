/**
 * A whole stack for a test file, of real parts in processes of their own: the Temporal dev server, versitygw, the
 * recorded teacher, and workers that the test starts and kills one by one.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import {
  progressQueryName,
  queues,
  searchAttributes,
  type Progress,
  type WorkerKind,
  type WorkflowType,
} from '../../src/contract/workflows.ts';
import { workerVariables, workerArguments } from '../../src/workers/command.ts';
import { startRecordedTeacher, type RecordedTeacher } from '../../src/services/teacher/recordedTeacher.ts';
import type { Store } from '../../src/services/store/index.ts';
import { freePort, startServer, TEST_CREDENTIALS, TEST_REGION, type TestServer } from '../store/server.ts';

export const projectDir = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const READY_WITHIN_MS = 60_000;

export interface WorkerProcess {
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: a machine that freezes and wakes. */
  freeze(): void;
  wake(): void;
  /** SIGTERM, then waits for its end; returns the exit code. */
  stop(): Promise<number | null>;
}

export interface TestStack {
  readonly address: string;
  readonly uiUrl: string;
  readonly client: Client;
  readonly store: Store;
  readonly s3: TestServer;
  readonly teacher: RecordedTeacher;
  /** Scratch folder of this stack; removed at its end. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** `flags` as on the command line, e.g. `['--class', 'a100']`. */
  startWorker(
    kinds: readonly WorkerKind[],
    env?: Readonly<Record<string, string>>,
    flags?: readonly string[],
  ): Promise<WorkerProcess>;
  /** SIGKILL to the Temporal server; what it knew is on disk. */
  killTemporal(): Promise<void>;
  restartTemporal(): Promise<void>;
  /** Runs the plain Temporal CLI against this stack; returns its standard output. */
  temporal(...args: string[]): Promise<string>;
  /** `temporal workflow start` with the input in a file, as a user types it. */
  startByCli(type: WorkflowType, workflowId: string, input: unknown): Promise<void>;
  progress(workflowId: string): Promise<Progress>;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** How long the recorded teacher takes for an answer. */
  readonly teacherLatencyMs?: number;
  /** Without them the namespace is as a user's cluster may be. Default true. */
  readonly searchAttributes?: boolean;
  /** From this many events on the server suggests that a workflow goes on as a new run; default the server's 4,096. */
  readonly suggestContinueAsNewAfter?: number;
}

export function pythonPath(): string {
  const path = process.env['SECPI_PYTHON'];
  if (path === undefined || !existsSync(path))
    throw new Error('SECPI_PYTHON does not name a Python: run the tests by `npm test`');
  return path;
}

export async function startTestStack({
  teacherLatencyMs = 0,
  searchAttributes: registered = true,
  suggestContinueAsNewAfter,
}: StackOptions = {}): Promise<TestStack> {
  const dir = await mkdtemp(join(tmpdir(), 'secpi-chain-'));
  const ended: (() => Promise<unknown>)[] = [async () => await rm(dir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of ended.toReversed()) await end();
  };
  try {
    const s3 = await startServer();
    ended.push(async () => await s3.stop());
    const teacher = await startRecordedTeacher({
      recordsDir: join(projectDir, 'records'),
      port: 0,
      latencyMs: teacherLatencyMs,
    });
    ended.push(async () => await teacher.close());
    const [port, uiPort] = [await freePort(), await freePort()];
    const temporalBinary = join(dirname(pythonPath()), 'temporal');
    const attributes = (registered ? Object.entries(searchAttributes) : []).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${type}`,
    ]);
    const startTemporal = async (): Promise<ChildProcess> =>
      await start(
        temporalBinary,
        [
          'server',
          'start-dev',
          '--ip',
          '127.0.0.1',
          '--port',
          String(port),
          '--ui-port',
          String(uiPort),
          '--log-level',
          'error',
          '--db-filename',
          join(dir, 'temporal.db'),
          ...attributes,
          ...(suggestContinueAsNewAfter === undefined
            ? []
            : [
                '--dynamic-config-value',
                `limit.historyCount.suggestContinueAsNew=${suggestContinueAsNewAfter}`,
              ]),
        ],
        join(dir, 'temporal.log'),
        {},
      );
    let temporal = await startTemporal();
    ended.push(async () => await end(temporal, 'SIGKILL'));
    const address = `127.0.0.1:${port}`;
    const connection = await connect(address);
    ended.push(async () => await connection.close());
    const store = await s3.openStore();
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '/',
      TEMPORAL_ADDRESS: address,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_REGION: TEST_REGION,
      AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
      SECPI_BUCKET: store.objects.bucket,
      SECPI_CACHE: process.env['SECPI_CACHE'] ?? '',
      SECPI_PYTHON: pythonPath(),
      SECPI_STATE: join(dir, 'state'),
      SECPI_TEACHER_URL: teacher.url,
      // Whatever cloud the tests run in.
      SECPI_PREEMPTION: 'off',
    };
    const client = new Client({ connection });
    const workers: ChildProcess[] = [];
    ended.push(async () => await endTrainers(dir));
    ended.push(async () => await Promise.all(workers.map(async (worker) => await end(worker, 'SIGTERM'))));
    const cli = async (...args: string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)(temporalBinary, args, {
        env: { ...env, TEMPORAL_ADDRESS: address },
        cwd: projectDir,
      });
      return stdout;
    };
    return {
      address,
      uiUrl: `http://127.0.0.1:${uiPort}`,
      client,
      store,
      s3,
      teacher,
      dir,
      env,
      startWorker: async (kinds, extra = {}, flags = []) => {
        const log = join(dir, `worker-${kinds.join('-')}-${workers.length}.log`);
        const worker = await start(
          process.execPath,
          workerArguments(projectDir, [...kinds, ...flags]),
          log,
          { ...workerVariables(env.SECPI_CACHE), ...env, ...extra },
          true,
        );
        workers.push(worker);
        return {
          pid: worker.pid ?? 0,
          kill: async () => await end(worker, 'SIGKILL'),
          freeze: () => void worker.kill('SIGSTOP'),
          wake: () => void worker.kill('SIGCONT'),
          stop: async () => {
            await end(worker, 'SIGTERM');
            return worker.exitCode;
          },
        };
      },
      killTemporal: async () => await end(temporal, 'SIGKILL'),
      restartTemporal: async () => {
        temporal = await startTemporal();
        await (await connect(address)).close();
      },
      temporal: cli,
      startByCli: async (type, workflowId, input) => {
        const file = join(dir, `${workflowId}.json`);
        await writeFile(file, JSON.stringify(input));
        await cli(
          'workflow',
          'start',
          '--type',
          type,
          '--task-queue',
          queues.control,
          '--workflow-id',
          workflowId,
          '--input-file',
          file,
        );
      },
      progress: async (workflowId) =>
        await client.workflow.getHandle(workflowId).query<Progress>(progressQueryName),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** With `ready`, waits for that event on stdout; a process that ends before is an error with its log. */
async function start(
  command: string,
  args: readonly string[],
  log: string,
  env: Readonly<Record<string, string>>,
  ready = false,
): Promise<ChildProcess> {
  const file = await open(log, 'a');
  const child = spawn(command, [...args], {
    cwd: projectDir,
    env: { ...env },
    stdio: ['ignore', ready ? 'pipe' : file.fd, file.fd],
  });
  await file.close();
  if (!ready || child.stdout === null) return child;
  const isReady = saysReady(createInterface({ input: child.stdout }));
  if (!(await Promise.race([isReady, sleep(READY_WITHIN_MS, false, { ref: false })]))) {
    child.kill('SIGKILL');
    throw new Error(`${command} ${args.join(' ')} did not become ready:\n${await readFile(log, 'utf8')}`);
  }
  child.stdout.resume();
  return child;
}

/** False when the output ends before. */
async function saysReady(lines: AsyncIterable<string>): Promise<boolean> {
  for await (const line of lines) {
    if (line.startsWith('{"event":"ready"')) return true;
  }
  return false;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  // A frozen process hears nothing before it wakes.
  child.kill('SIGCONT');
  await gone;
}

/** Trainers outlive their workers: those that a scenario left are found by the folder they work in. */
async function endTrainers(dir: string): Promise<void> {
  for (const pid of await findProcesses('secpi_trainer train', dir)) {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

async function connect(address: string): Promise<Connection> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      return connection;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

/** Polls until `look` gives something; fails with `what` after `withinMs`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(50);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Pids of processes whose command line holds all the words; of this machine's /proc. */
export async function findProcesses(...words: string[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args=']);
  return stdout
    .split('\n')
    .filter((line) => words.every((word) => line.includes(word)))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid !== process.pid);
}

export async function quickRecipe(): Promise<Record<string, Record<string, unknown>>> {
  return JSON.parse(await readFile(join(projectDir, 'recipes/quick.json'), 'utf8')) as Record<
    string,
    Record<string, unknown>
  >;
}

/** A random Llama of a few hundred thousand parameters with a tokenizer made of the records: real code, quick steps. */
export async function makeTinyModel(dir: string): Promise<string> {
  const script = join(dir, 'tiny.py');
  const out = join(dir, 'tiny-model');
  await writeFile(script, TINY_MODEL_SCRIPT);
  await promisify(execFile)(pythonPath(), [script, join(projectDir, 'records/traces'), out], {
    env: { HF_HUB_OFFLINE: '1', PATH: '/usr/bin:/bin' },
  });
  return out;
}

const TINY_MODEL_SCRIPT = String.raw`
import sys, torch
from pathlib import Path
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.manual_seed(0)
raw = Tokenizer(models.BPE())
raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
raw.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
raw.train_from_iterator(sorted(path.read_text() for path in Path(sys.argv[1]).glob("*.md")), trainer)
tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>")
tokenizer.chat_template = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    max_position_embeddings=4096, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
LlamaForCausalLM(config).save_pretrained(sys.argv[2])
tokenizer.save_pretrained(sys.argv[2])
`;
