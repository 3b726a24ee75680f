/**
 * `npm run --silent faults:train`: the embedded fine-tune (SmolLM2-135M-Instruct, the rows of the quick recipe) on hosts
 * that are lost and taken away, beside the same one left alone. STEPS (60), INTERVAL between checkpoints (5),
 * BATCH_ROWS of a step (4), GRACE_SECONDS after SIGTERM (120, as clouds give), SEED (1).
 * Lines of what happens, one a kill, and last a line of figures; ends with 1 when anything differs.
 */
import { ensureTools } from '../../src/cli/tools.ts';
import { projectRoot } from '../../src/cli/settings.ts';

const tools = ensureTools(projectRoot, process.env);
process.env['SECPI_CACHE'] = tools.cache;
process.env['SECPI_PYTHON'] = tools.python;
const { quickRecipe, startTestStack } = await import('../../test/chain/stack.ts');
const { startHost } = await import('../../test/chain/trainHost.ts');
const { planKills, seededRandom } = await import('../../test/chain/trainKills.ts');
const { makeTraces } = await import('../../test/chain/trainSetup.ts');
const { describeRecovery, sumUp, trainedRun, trainThroughKills, violations } =
  await import('../../test/chain/trainFaults.ts');

const steps = Number(process.env['STEPS'] ?? 60);
const interval = Number(process.env['INTERVAL'] ?? 5);
const batchRows = Number(process.env['BATCH_ROWS'] ?? 4);
/** A worker leaves at once where the rest of a step, a save and its upload do not fit. */
const graceSeconds = Number(process.env['GRACE_SECONDS'] ?? 120);
const seed = Number(process.env['SEED'] ?? 1);
const startedMs = Date.now();
const tell = (line: string): void =>
  console.log(`${((Date.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}`);

const random = seededRandom(seed);
const kills = planKills(random, { steps, interval, losses: true, notices: 3 });
tell(`seed ${seed}, ${steps} steps, a checkpoint every ${interval}, ${kills.length} kills`);

const stack = await startTestStack();
try {
  await stack.startWorker(['control', 'data']);
  const traces = await makeTraces(stack);
  const finetune = {
    ...(await quickRecipe())['finetune'],
    maxSteps: steps,
    batchRows,
    // Measured elsewhere; on a CPU it takes longer than the steps between two kills.
    guard: null,
    checkpointEverySteps: interval,
    // A kill may come before the first checkpoint of its stretch, as often as the plan has it.
    limits: { maxLossesWithoutCheckpoint: kills.length },
  };
  tell('unbroken');
  const host = await startHost(stack, { name: 'unbroken' });
  await stack.startByCli('fineTune', 'unbroken', { version: 1, traces, finetune, reuse: 'never' });
  const whole = await trainedRun(stack, 'unbroken');
  await host.worker.stop();
  await host.close();
  tell(`weights ${whole.result.artifact.contentSha256}`);

  const killed = await trainThroughKills(stack, {
    id: 'killed',
    traces,
    finetune,
    env: { SECPI_GRACE_SECONDS: String(graceSeconds) },
    kills,
    random,
    onProgress: tell,
  });
  tell(`weights ${killed.result.artifact.contentSha256}`);
  for (const recovery of killed.recoveries) console.log(describeRecovery(recovery));
  const broken = violations(whole, killed, interval);
  for (const line of broken) console.log(`BROKEN: ${line}`);
  console.log(JSON.stringify({ seed, steps, interval, batchRows, ...sumUp(killed), broken: broken.length }));
  if (broken.length > 0) process.exitCode = 1;
} finally {
  await stack.stop();
}
