/**
 * Attempts at a training over a real store, with the stand-in trainer as a real process. An attempt runs in this
 * process, or in one of its own that a test can freeze and kill.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { checkpointManifestSchema, type Manifest } from '../../src/contract/manifest.ts';
import { finetuneSchema } from '../../src/contract/recipe.ts';
import type { Control, TrainingFigures } from '../../src/contract/workflows.ts';
import { ownerOf, stateOf } from '../../src/services/processOwner.ts';
import {
  blobKey,
  openStore,
  parseS3Uri,
  writeRows,
  type CheckpointEntry,
  type Store,
} from '../../src/services/store/index.ts';
import { systemProbes } from '../../src/services/train/machineProbes.ts';
import { pythonEnv } from '../../src/services/train/pythonEnv.ts';
import { runTraining } from '../../src/services/train/runTraining.ts';
import type {
  AttemptFigures,
  MachineProbes,
  TrainingEnd,
  TrainingHost,
  TrainingRequest,
} from '../../src/services/train/training.ts';
import { pythonPath } from '../chain/stack.ts';
import { manifestFor, owner } from '../store/samples.ts';
import { startServer, TEST_CREDENTIALS, TEST_REGION, type TestServer } from '../store/server.ts';

const here = dirname(fileURLToPath(import.meta.url));
const fakeTrainerDir = resolve(here, '../../src/services/train/testing');
const trainerDir = resolve(here, '../../trainer/src');

/** How the stand-in trainer behaves; see its docstring. */
export type FakeTrainer = Partial<
  Record<'STEP_MS' | 'LOAD_MS' | 'SAVE_MS' | 'BYTES' | 'CRASH_AT' | 'DIVERGE_AT' | 'SILENT_AT', number>
>;

/** All that an attempt in another process needs, as JSON. */
export interface AttemptPlan {
  readonly endpoint: string;
  readonly bucket: string;
  readonly trainingsDir: string;
  readonly fingerprint: string;
  readonly epoch: number;
  readonly checkpoints: readonly CheckpointEntry[];
  readonly traces: Manifest;
  readonly settings: Record<string, unknown>;
  readonly fake: FakeTrainer;
  readonly rollbacks: number;
  /** With a model folder, the real trainer trains it; null is the stand-in. */
  readonly modelDir: string | null;
}

export interface Lab {
  /** Scratch folder; removed at the end. */
  readonly dir: string;
  readonly store: Store;
  readonly server: TestServer;
  /** Of one host; another name is another host with a disk of its own. */
  trainingsDir(host?: string): string;
  /** Claims the training's head as a new attempt. */
  claim(fingerprint: string): Promise<number>;
  plan(options: {
    readonly fingerprint: string;
    readonly epoch: number;
    readonly host?: string;
    readonly settings?: Record<string, unknown>;
    readonly fake?: FakeTrainer;
    readonly rollbacks?: number;
    readonly modelDir?: string;
  }): AttemptPlan;
  /** Takes the weights of the newest checkpoint out of the store. */
  damageNewest(fingerprint: string): Promise<void>;
  stop(): Promise<void>;
}

export async function openLab(): Promise<Lab> {
  const dir = await mkdtemp(join(tmpdir(), 'secpi-train-'));
  const server = await startServer();
  const store = await server.openStore();
  const bucket = parseS3Uri(store.objects.uriOf('x'))?.bucket ?? '';
  const rows = Array.from({ length: 4 }, (_, index) => ({
    index,
    id: `row-${index}`,
    prompt: [{ role: 'user', content: `task ${index}` }],
    reasoning: 'because',
    answer: 'code',
    language: null,
    cwes: [],
    group: index,
    sample: 0,
  }));
  const traces: Manifest = {
    ...(await manifestFor(store, fingerprintOf('traces'), 1, owner('traces'))),
    parts: { pairs: await writeRows(store.blobs, rows, { rowsPerPart: 10 }) },
  };
  let claims = 0;
  /** What was listed when the training was claimed under this epoch. */
  const claimed = new Map<string, readonly CheckpointEntry[]>();
  const trainingsDir = (host = 'host'): string => join(dir, host, 'trainings');
  return {
    dir,
    store,
    server,
    trainingsDir,
    async claim(fingerprint) {
      claims += 1;
      const claim = await store.trainings.claim(fingerprint, owner(`attempt ${claims}`), async () => false);
      if (claim.status === 'busy') throw new Error('the training is held');
      claimed.set(`${fingerprint} ${claim.epoch}`, claim.checkpoints);
      return claim.epoch;
    },
    plan: ({ fingerprint, epoch, host, settings = {}, fake = {}, rollbacks = 0, modelDir = null }) => ({
      endpoint: server.endpoint,
      bucket,
      trainingsDir: trainingsDir(host),
      fingerprint,
      epoch,
      checkpoints: claimed.get(`${fingerprint} ${epoch}`) ?? [],
      traces,
      settings,
      fake,
      rollbacks,
      modelDir,
    }),
    damageNewest: async (fingerprint) => {
      const newest = (await store.trainings.list(fingerprint)).at(-1);
      const manifest = await store.objects.get(newest?.key ?? '');
      const weights = checkpointManifestSchema
        .parse(JSON.parse(manifest?.bytes.toString() ?? 'null'))
        .files.find(({ path }) => path === 'weights.bin');
      await store.objects.delete(blobKey(weights?.sha256 ?? ''));
    },
    stop: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function fingerprintOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

export interface RunningAttempt {
  readonly end: Promise<TrainingEnd>;
  readonly notes: string[];
  readonly figures: Partial<TrainingFigures>[];
  readonly resumes: AttemptFigures[];
  want(wanted: Control['wanted']): void;
  checkpointNow(): void;
  abort(why: ReturnType<TrainingHost['whyAborted']>, graceMs?: number): void;
}

/** An attempt in this process. */
export async function startAttempt(
  plan: AttemptPlan,
  probes: Partial<MachineProbes> = {},
  wanted: Control['wanted'] = 'train',
): Promise<RunningAttempt> {
  const notes: string[] = [];
  const figures: Partial<TrainingFigures>[] = [];
  const resumes: AttemptFigures[] = [];
  const aborting = new AbortController();
  let control: Control = { checkpointRequests: 0, wanted };
  let why: ReturnType<TrainingHost['whyAborted']> = 'cancelled';
  let grace = 0;
  await mkdir(plan.trainingsDir, { recursive: true });
  const env = Object.entries(plan.fake).map(([name, value]) => [`FAKE_${name}`, String(value)]);
  const host: TrainingHost = {
    store: openStore({
      endpoint: plan.endpoint,
      region: TEST_REGION,
      credentials: TEST_CREDENTIALS,
      bucket: plan.bucket,
    }),
    pythonPath: pythonPath(),
    pythonEnv: {
      ...pythonEnv(plan.modelDir === null ? fakeTrainerDir : trainerDir, {}),
      ...Object.fromEntries(env),
    },
    trainingsDir: plan.trainingsDir,
    guardRows: async () => null,
    signal: aborting.signal,
    whyAborted: () => why,
    graceMs: () => grace,
    gpu: null,
    control: () => control,
    onFigures: (figure, note) => {
      figures.push(figure);
      notes.push(note);
    },
    onNote: (note) => notes.push(note),
    onResume: async (attempt) => void resumes.push(attempt),
  };
  const end = runTraining(requestOf(plan), host, { ...systemProbes, ...probes });
  end.catch(() => undefined); // the test awaits it
  return {
    end,
    notes,
    figures,
    resumes,
    want: (next) => (control = { ...control, wanted: next }),
    checkpointNow: () => (control = { ...control, checkpointRequests: control.checkpointRequests + 1 }),
    abort: (reason, graceMs = 0) => {
      why = reason;
      grace = graceMs;
      aborting.abort(new Error(`aborted: ${reason}`));
    },
  };
}

function requestOf({
  fingerprint,
  epoch,
  checkpoints,
  traces,
  settings,
  rollbacks,
  modelDir,
}: AttemptPlan): TrainingRequest {
  const parsed = finetuneSchema.parse({
    model: { uri: 'model' },
    maxSteps: 40,
    checkpointEverySteps: 10,
    batchRows: 4,
    microBatchRows: 4,
    guard: null,
    ...settings,
  });
  return {
    fingerprint,
    epoch,
    checkpoints,
    settings: parsed,
    traces,
    model: { dir: modelDir ?? '/unused', contentSha256: fingerprintOf('model'), license: 'none' },
    microBatchRows: parsed.microBatchRows,
    rollbacks,
  };
}

export interface AttemptProcess {
  readonly child: ChildProcess;
  /** What it told, line by line: notes, and at its end `end …` or `error CODE …`. */
  readonly told: string[];
  kill(): Promise<void>;
  /** Resolves with the last line when it ended by itself. */
  ended(): Promise<string>;
}

/** An attempt in a process of its own, as a worker is. */
export function startAttemptProcess(plan: AttemptPlan): AttemptProcess {
  const child = spawn(process.execPath, [join(here, 'attemptProcess.ts'), JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env },
  });
  const told: string[] = [];
  createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => told.push(line));
  const exited = once(child, 'close');
  return {
    child,
    told,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    ended: async () => {
      await exited;
      return told.at(-1) ?? '';
    },
  };
}

/** The weights an unbroken run ends with. */
export function expectedWeights(steps: number, seed = 0): string {
  let weights = String(seed);
  for (let step = 1; step <= steps; step += 1)
    weights = createHash('sha256').update(`${weights}${step}`).digest('hex');
  return weights;
}

export async function weightsOf(end: TrainingEnd): Promise<string> {
  if (end.status !== 'trained') throw new Error(`the training is ${end.status}`);
  return await readFile(join(end.outcome.finished.mergedDir, 'weights.txt'), 'utf8');
}

/** A process that has ended but was not asked for its exit code yet does not run. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await stateOf(ownerOf(pid))) === 'alive';
}

/** Pids of stand-in trainers whose config lies under a folder. */
export async function trainersUnder(dir: string): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('secpi_trainer\0train') && command.includes(dir)) pids.push(Number(name));
  }
  return pids;
}
