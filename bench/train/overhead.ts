/**
 * `npm run --silent bench:checkpoint`: what checkpoints every 20 steps cost a training, with a local S3. One training of
 * the embedded model by the real trainer and services, in stretches of 20 steps: in some, one checkpoint is saved in
 * the middle and uploaded behind the steps that follow; in the others none. Off, on, on, off, …, so that a machine
 * that grows slower does not decide.
 * Environment: STRETCHES (8), INTERVAL (20), TOKENS of a row (256), BATCH_ROWS (4).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { projectRoot } from '../../src/cli/settings.ts';
import { ensureTools } from '../../src/cli/tools.ts';
import { checkpointManifestSchema } from '../../src/contract/manifest.ts';
import { writeRows } from '../../src/services/store/index.ts';

const tools = ensureTools(projectRoot, process.env);
process.env['SECPI_CACHE'] = tools.cache;
process.env['SECPI_PYTHON'] = tools.python;
const { fingerprintOf, openLab, startAttempt } = await import('../../test/train/lab.ts');

const stretches = Number(process.env['STRETCHES'] ?? 8);
const interval = Number(process.env['INTERVAL'] ?? 20);
const maxSequenceTokens = Number(process.env['TOKENS'] ?? 256);
const batchRows = Number(process.env['BATCH_ROWS'] ?? 4);
/** The first steps of a process are slower. */
const WARM_UP_STEPS = 5;
const LOOK_MS = 20;

const lab = await openLab();
let attempt: Awaited<ReturnType<typeof startAttempt>> | null = null;
let ended: unknown = null;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => (ended = new Error(name)));
try {
  const fingerprint = fingerprintOf('overhead');
  const plan = lab.plan({
    fingerprint,
    epoch: await lab.claim(fingerprint),
    modelDir: join(tools.cache, 'models', 'SmolLM2-135M-Instruct'),
    settings: {
      // The steps decide, not the few rows.
      epochs: 1000,
      maxSteps: WARM_UP_STEPS + (stretches + 1) * interval,
      batchRows,
      microBatchRows: Math.min(2, batchRows),
      maxSequenceTokens,
      longRows: 'truncate',
      checkpointEverySteps: 1_000_000,
      evalShare: 0,
      guard: null,
      precision: 'fp32',
      lora: { rank: 16, alpha: 32 },
    },
  });
  const pairs = await writeRows(lab.store.blobs, rowsOfEqualLength(), { rowsPerPart: 100 });
  const running = await startAttempt({ ...plan, traces: { ...plan.traces, parts: { pairs } } });
  attempt = running;
  running.end.then(
    (end) => (ended ??= new Error(`the training ended before the measurement: ${end.status}`)),
    (error: unknown) => (ended ??= error),
  );
  const latest = (field: 'step' | 'lastCheckpoint'): number =>
    running.figures.findLast((told) => told[field] !== undefined)?.[field] ?? 0;
  const reaches = async (field: 'step' | 'lastCheckpoint', value: number): Promise<void> => {
    while (latest(field) < value) {
      if (ended !== null) throw ended;
      await sleep(LOOK_MS);
    }
  };

  await reaches('step', WARM_UP_STEPS);
  const measured: { checkpoint: boolean; seconds: number; safeAfterSeconds: number | null }[] = [];
  for (let index = 0; index < stretches; index += 1) {
    const firstStep = WARM_UP_STEPS + index * interval;
    const checkpoint = index % 4 === 1 || index % 4 === 2;
    const began = performance.now();
    let safeAfterSeconds: number | null = null;
    await reaches('step', firstStep + Math.floor(interval / 2));
    if (checkpoint) {
      const askedMs = performance.now();
      running.checkpointNow();
      await reaches('lastCheckpoint', firstStep + 1);
      safeAfterSeconds = (performance.now() - askedMs) / 1000;
      if (latest('step') >= firstStep + interval) throw new Error('the upload outlasted its stretch');
    }
    await reaches('step', firstStep + interval);
    measured.push({ checkpoint, seconds: (performance.now() - began) / 1000, safeAfterSeconds });
  }
  const listed = await lab.store.trainings.list(fingerprint);
  const saveSeconds = await saveTimes(join(lab.trainingsDir(), fingerprint.slice(0, 16), 'events.jsonl'));

  const meanOf = (checkpoint: boolean): number => {
    const chosen = measured.filter((stretch) => stretch.checkpoint === checkpoint);
    return chosen.reduce((sum, { seconds }) => sum + seconds, 0) / chosen.length;
  };
  const manifest = await lab.store.objects.get(listed.at(-1)?.key ?? '');
  const { files } = checkpointManifestSchema.parse(JSON.parse(manifest?.bytes.toString('utf8') ?? 'null'));
  const figures = {
    interval,
    batchRows,
    maxSequenceTokens,
    stretches: measured.map((stretch) => ({
      ...stretch,
      seconds: rounded(stretch.seconds),
      safeAfterSeconds: stretch.safeAfterSeconds === null ? null : rounded(stretch.safeAfterSeconds),
    })),
    secondsWithout: rounded(meanOf(false)),
    secondsWith: rounded(meanOf(true)),
    saveSeconds,
    overhead: rounded(meanOf(true) / meanOf(false) - 1, 4),
    checkpointMib: rounded(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 2),
    load: loadavg().map((load) => rounded(load, 1)),
  };
  console.log(JSON.stringify(figures, null, 2));
} finally {
  // The trainer would outlive this process.
  attempt?.abort('cancelled');
  await attempt?.end.catch(() => undefined); // cancelled, as asked
  await lab.stop();
}

/** Each is cut to the same number of tokens, so that all steps are the same work. */
function rowsOfEqualLength(): Record<string, unknown>[] {
  return Array.from({ length: 64 }, (_, index) => ({
    index,
    id: `row-${index}`,
    prompt: [{ role: 'user', content: `Write function number ${index}.` }],
    reasoning: 'The input is not trusted, so it is checked before it is used. '.repeat(maxSequenceTokens / 8),
    answer: `def function_${index}(value):\n    return str(value)\n`,
    language: null,
    cwes: [],
    group: index,
    sample: 0,
  }));
}

/** How long the trainer stood still for each save. */
async function saveTimes(eventsFile: string): Promise<number[]> {
  const lines = (await readFile(eventsFile, 'utf8')).split('\n').filter((line) => line.startsWith('{'));
  return lines.flatMap((line) => {
    const event: unknown = JSON.parse(line);
    const saved = z.looseObject({ event: z.literal('checkpoint'), seconds: z.number() }).safeParse(event);
    return saved.success ? [rounded(saved.data.seconds)] : [];
  });
}

function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
