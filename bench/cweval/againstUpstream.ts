/**
 * The adapter beside upstream's own pipeline: the same samples, the same limit for a test (upstream's 3 s), two
 * processes. Prints the wall time of both, and every sample on which upstream's own verdict and ours differ.
 *
 * Usage: CWEVAL_HOME=… CWEVAL_PYTHON=… node bench/cweval/againstUpstream.ts [samples per task, default 2] [language …]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gradeAll, openDriver } from './host.ts';
import { makeSamples, writeSamples } from './samples.ts';

const UPSTREAM_TEST_SECONDS = 3;
const PROCESSES = 2;
const [count = '2', ...languages] = process.argv.slice(2);
const python = process.env['CWEVAL_PYTHON'] ?? 'python3';
const { driver, home } = await openDriver(UPSTREAM_TEST_SECONDS);
const languageOf = new Map(driver.tasks.map(({ taskId, language }) => [taskId, language]));
const isWanted = (taskId: string): boolean =>
  languages.length === 0 || languages.includes(languageOf.get(taskId) ?? '');
const made = await makeSamples(driver, home, Number(count));
const samples = made.filter(({ taskId }) => isWanted(taskId));
console.log(
  `${samples.length} samples of ${new Set(samples.map(({ taskId }) => taskId)).size} tasks, ${availableParallelism()} cores`,
);
const dir = await mkdtemp(join(tmpdir(), 'secpi-against-'));
try {
  await writeSamples(dir, samples, languageOf);
  const ours = await measure(async () => await gradeAll(driver, samples, driver.concurrency));
  console.log(`ours      ${told(ours)}`);
  const theirs = await measure(async () => await runUpstream(dir));
  console.log(`upstream  ${told(theirs)}`);
  console.log(`ratio     ${(ours.wallMs / theirs.wallMs).toFixed(2)}`);
  const upstream = await readUpstream(dir, Number(count));
  let differing = 0;
  for (const { sample, grade } of ours.result) {
    const said = upstream.get(`${sample.taskId} ${sample.index}`) ?? null;
    if (JSON.stringify(said) === JSON.stringify(grade.upstream)) continue;
    differing += 1;
    console.log(
      `differs   ${sample.taskId} ${sample.index} (${sample.kind}): upstream ${JSON.stringify(said)}, ours ${JSON.stringify(grade.upstream)}: ${grade.reason}`,
    );
  }
  console.log(`${differing} of ${samples.length} verdicts differ`);
} finally {
  await driver.close();
  await rm(dir, { recursive: true, force: true });
}

interface Measured<Result> {
  readonly result: Result;
  readonly wallMs: number;
}

async function measure<Result>(work: () => Promise<Result>): Promise<Measured<Result>> {
  const startedAt = performance.now();
  const result = await work();
  return { result, wallMs: performance.now() - startedAt };
}

function told({ wallMs }: Measured<unknown>): string {
  return `${(wallMs / 1000).toFixed(1)} s`;
}

async function runUpstream(folder: string): Promise<void> {
  const child = spawn(
    python,
    [
      'cweval/evaluate.py',
      'pipeline',
      '--eval_path',
      folder,
      '--num_proc',
      String(PROCESSES),
      '--docker',
      'False',
    ],
    {
      cwd: home,
      env: { ...process.env, PYTHONPATH: home, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString('utf8')).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`upstream's pipeline exited with ${String(code)}:\n${log}`);
}

type Judged = { functional: boolean; secure: boolean };

async function readUpstream(folder: string, samplesPerTask: number): Promise<Map<string, Judged>> {
  const found = new Map<string, Judged>();
  for (let index = 0; index < samplesPerTask; index += 1) {
    const text = await readFile(join(folder, `generated_${index}`, 'res.json'), 'utf8');
    for (const [file, { functional, secure }] of Object.entries<Judged>(JSON.parse(text))) {
      const taskId = /generated_\d+\/(.+)_test\.py$/.exec(file)?.[1];
      found.set(`${taskId} ${index}`, { functional, secure });
    }
  }
  return found;
}
