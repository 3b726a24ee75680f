/** `secpi grade suite` as a user calls it: replies in a folder, hostile ones among them, verdicts on standard output. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { Summary } from '../../src/contract/summary.ts';
import { projectDir } from '../chain/stack.ts';

const lineSchema = z.object({
  task: z.string(),
  index: z.int(),
  verdict: z.object({
    generated: z.boolean(),
    extractable: z.boolean(),
    functional: z.boolean(),
    secure: z.boolean(),
    unknown: z.boolean(),
  }),
  reason: z.string(),
});
const outputSchema = z.object({
  strict: z.object({ func: z.number(), funcSec: z.number(), n: z.int() }),
  upstream: z.object({ func: z.number(), funcSec: z.number(), n: z.int() }),
  samples: z.array(lineSchema),
});

const TASKS = ['core/py/cwe_022_0', 'core/py/cwe_095_1'];
const fenced = (code: string): string => `Here you are:\n\n\`\`\`python\n${code}\n\`\`\`\n`;
const definition = (task: string): string =>
  task === TASKS[0] ? 'def read_entry(*args):\n    return ""' : 'def calculate(expression):\n    return 0';
/** By index, beside the reference and the insecure variant. */
const broken: readonly ((task: string) => string)[] = [
  (task) => `import not_there_at_all\n${definition(task)}`,
  (task) => `${definition(task)}\nraise SystemExit(0)`,
  (task) => `${definition(task)}\nimport os\nos._exit(0)`,
  (task) => `${definition(task)}\nwhile True:\n    pass`,
  (task) => `${definition(task)}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)`,
];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function secpi(...args: string[]): Promise<Ended> {
  return await new Promise((done) => {
    execFile(
      process.execPath,
      [join(projectDir, 'src/cli/main.ts'), ...args],
      { env: { ...process.env, SECPI_STATE: join(dir, 'state') }, maxBuffer: 64 * 1024 ** 2 },
      (error, stdout, stderr) =>
        done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
    );
  });
}

let dir: string;
let output: z.infer<typeof outputSchema>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-grade-'));
  const put = async (index: number, task: string, text: string): Promise<void> => {
    const file = join(dir, 'samples', `generated_${index}`, `${task}_raw.py`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  for (const task of TASKS) {
    const source = async (role: string) =>
      await readFile(join(projectDir, 'suite', `${task}_${role}.py`), 'utf8');
    await put(0, task, await source('task'));
    await put(1, task, fenced(await source('unsafe')));
    for (const [position, make] of broken.entries()) await put(2 + position, task, fenced(make(task)));
  }
  await put(7, TASKS[0] ?? '', 'I cannot help with that.');
  const { stdout, stderr, code } = await secpi(
    'grade',
    'suite',
    '--samples',
    join(dir, 'samples'),
    '--json',
    '--wall-seconds',
    '4',
    '--out',
    join(dir, 'out'),
    '--write-results',
    join(dir, 'evals'),
  );
  if (code !== 0) throw new Error(stderr);
  output = outputSchema.parse(JSON.parse(stdout));
}, 240_000);
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const line = (task: string, index: number) => {
  const found = output.samples.find((sample) => sample.task === task && sample.index === index);
  if (found === undefined) throw new Error(`no line of ${task} ${index}`);
  return found;
};

it('has a line for every task and index, the missing one too', () => {
  expect(output.samples.map(({ task, index }) => [task, index])).toEqual(
    TASKS.flatMap((task) => Array.from({ length: 8 }, (_, index) => [task, index])),
  );
  expect(line('core/py/cwe_095_1', 7)).toMatchObject({ reason: 'missing', verdict: { generated: false } });
  expect(line('core/py/cwe_022_0', 7)).toMatchObject({ verdict: { generated: true, extractable: false } });
});

it('passes the reference, tells the insecure variant, and fails the broken ones with their reasons', () => {
  for (const task of TASKS) {
    expect(line(task, 0).verdict).toMatchObject({ functional: true, secure: true });
    expect(line(task, 1).verdict).toMatchObject({ functional: true, secure: false });
    for (let index = 2; index < 7; index += 1)
      expect(line(task, index).verdict).toMatchObject({ functional: false, secure: false, unknown: false });
    expect(line(task, 2).reason).toBe('importFailed');
    expect(line(task, 5).reason).toBe('timeout');
    for (const index of [3, 4, 6]) expect(line(task, index).reason).toMatch(/sampleEnded|importFailed/);
  }
});

it('counts over the fixed denominator', () => {
  expect(output.strict).toMatchObject({ func: 4 / 16, funcSec: 2 / 16, n: 16 });
});

it('writes a report', async () => {
  expect(await readFile(join(dir, 'out/report.html'), 'utf8')).toContain('core/py/cwe_022_0');
  expect(JSON.parse(await readFile(join(dir, 'out/summary.json'), 'utf8'))).toMatchObject({
    benchmarks: [{ name: 'suite' }],
  });
});

it('writes results in CWEval’s own form, which an import reads back to the same figures', async () => {
  const { stdout, code } = await secpi('import', 'cweval', join(dir, 'evals'), '--json');
  expect(code).toBe(0);
  const { base } = (JSON.parse(stdout) as Summary).models;
  expect(base).toMatchObject({ func: { value: 4 / 16, n: 16 }, funcSec: { value: 2 / 16 } });
}, 60_000);

it('refuses a folder without samples, and a sample of no task, with code, field and remedy', async () => {
  const empty = await secpi('grade', 'suite', '--samples', dir, '--json');
  expect(empty).toMatchObject({ code: 2, stdout: '' });
  expect(empty.stderr).toMatch(/SAMPLES_INVALID {2}samples[\s\S]*generated_0/);
  const stray = join(dir, 'stray/generated_0/core/py');
  await mkdir(stray, { recursive: true });
  await writeFile(join(stray, 'cwe_999_9_raw.py'), 'x = 1');
  const refused = await secpi('grade', 'suite', '--samples', join(dir, 'stray'));
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('cwe_999_9');
}, 60_000);
