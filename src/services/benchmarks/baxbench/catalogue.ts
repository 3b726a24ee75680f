/** What a checkout of BaxBench asks: its scenarios, frameworks and prompts, told by the checkout itself. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { promptVariants } from '../../../contract/benchmarkNames.ts';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import type { EvaluateSettings } from '../../../contract/recipe.ts';
import type { BenchmarkTaskRow } from '../../../contract/rows.ts';
import { canonicalLanguage } from '../../language/names.ts';
import { sha256Hex } from '../../store/hash.ts';
import type { Checkout } from './checkout.ts';

const run = promisify(execFile);

const DUMP = fileURLToPath(new URL('dump.py', import.meta.url));
/** Importing takes a few seconds; a minute on a machine that does much else. */
const DUMP_MS = 120_000;
const OLDEST_PYTHON = [3, 12] as const;

const description = z.object({ num: z.int().positive(), desc: z.string() });
const dumpSchema = z.object({
  python: z.string(),
  missing: z.array(z.string()),
  cwes: z.array(description).default([]),
  envs: z
    .array(
      z.object({
        id: z.string().min(1),
        language: z.string().min(1),
        extension: z.string().min(1),
        codeFilename: z.string().min(1).nullable(),
        buildSha256: z.string(),
      }),
    )
    .default([]),
  scenarios: z
    .array(
      z.object({
        id: z.string().min(1),
        cwes: z.array(z.int().positive()),
        functionalTests: z.array(z.string()),
        securityTests: z.array(z.string()),
        testsSha256: z.string(),
      }),
    )
    .default([]),
  tasks: z
    .array(
      z.object({
        scenario: z.string(),
        env: z.string(),
        packages: z.array(z.string()),
        prompts: z.record(z.enum(promptVariants), z.string().min(1)),
      }),
    )
    .default([]),
});

export interface BaxbenchTask {
  readonly row: BenchmarkTaskRow;
  /** As BaxBench's command line takes them. */
  readonly scenario: string;
  readonly env: string;
  readonly codeFilename: string | null;
  /** Tests by name, in the order they run. */
  readonly functionalTests: readonly string[];
  readonly securityTests: readonly string[];
  /** Images of tasks with the same key share all layers below the reply's own files. */
  readonly buildKey: string;
}

export interface Catalogue {
  readonly checkout: Checkout;
  /** Version of the Python that runs BaxBench. */
  readonly pythonVersion: string;
  readonly spec: 'openapi' | 'text';
  /** Sorted by task id; only what the settings ask for. */
  readonly tasks: readonly BaxbenchTask[];
  /** Text of each weakness by its number, exactly as BaxBench's results hold it. */
  readonly descriptions: ReadonlyMap<number, string>;
}

export interface CatalogueOptions {
  readonly checkout: Checkout;
  /** Path of a Python of at least 3.12 that has BaxBench's dependencies. */
  readonly python: string | undefined;
  readonly settings: Pick<EvaluateSettings, 'baxbench' | 'languages'>;
}

/** @throws SecpiError BENCHMARK_UNAVAILABLE that names what is missing. */
export async function readCatalogue({ checkout, python, settings }: CatalogueOptions): Promise<Catalogue> {
  const dump = await runDump(checkout, python, settings.baxbench.spec);
  const known = { scenarios: dump.scenarios.map(({ id }) => id), envs: dump.envs.map(({ id }) => id) };
  for (const field of ['scenarios', 'envs'] as const) {
    const strange = settings.baxbench[field].find(
      (name) => !known[field].some((id) => id === name || folderName(id) === name),
    );
    if (strange !== undefined)
      throw new SecpiError(
        'BENCHMARK_UNAVAILABLE',
        `BaxBench has nothing named ${JSON.stringify(strange)}.`,
        {
          field: `evaluate.baxbench.${field}`,
          remedy: `Use some of: ${known[field].join(', ')}.`,
        },
      );
  }
  const tasks = tasksOf(dump, checkout)
    .filter(({ row, scenario, env }) => {
      const { scenarios, envs } = settings.baxbench;
      return (
        isAsked(scenarios, scenario) &&
        isAsked(envs, env) &&
        (settings.languages.length === 0 || settings.languages.some((name) => name === row.language))
      );
    })
    .toSorted((a, b) => (a.row.taskId < b.row.taskId ? -1 : 1))
    .map((task, index) => ({ ...task, row: { ...task.row, index } }));
  return {
    checkout,
    pythonVersion: dump.python,
    spec: settings.baxbench.spec,
    tasks,
    descriptions: new Map(dump.cwes.map(({ num, desc }) => [num, desc])),
  };
}

/** BaxBench's folder names and our task ids hold no slash of a name: `Go-net/http` lies in `Go-net-http`. */
export function folderName(id: string): string {
  return id.replaceAll('/', '-');
}

function isAsked(names: readonly string[], id: string): boolean {
  return names.length === 0 || names.includes(id) || names.includes(folderName(id));
}

function tasksOf(dump: z.infer<typeof dumpSchema>, checkout: Checkout): BaxbenchTask[] {
  const scenarios = new Map(dump.scenarios.map((scenario) => [scenario.id, scenario]));
  const envs = new Map(dump.envs.map((env) => [env.id, env]));
  return dump.tasks.flatMap((task) => {
    const scenario = scenarios.get(task.scenario);
    const env = envs.get(task.env);
    if (scenario === undefined || env === undefined) return [];
    const cwes = scenario.cwes.map((num) => `CWE-${num}`);
    const row: BenchmarkTaskRow = {
      index: 0,
      benchmark: 'baxbench',
      taskId: `${folderName(scenario.id)}/${folderName(env.id)}`,
      cwe: cwes[0] ?? null,
      cwes,
      scenario: folderName(scenario.id),
      // By the files that a model is asked for: Nest is called JavaScript and is written in TypeScript.
      language: canonicalLanguage(env.extension),
      entryPoint: null,
      prompts: task.prompts,
      testsSha256: sha256Hex(
        JSON.stringify([checkout.commit, scenario.testsSha256, env.buildSha256, task.packages]),
      ),
    };
    const { codeFilename } = env;
    const { functionalTests, securityTests } = scenario;
    const buildKey = sha256Hex(JSON.stringify([env.buildSha256, task.packages])).slice(0, 16);
    return [
      { row, scenario: scenario.id, env: env.id, codeFilename, functionalTests, securityTests, buildKey },
    ];
  });
}

async function runDump(
  checkout: Checkout,
  python: string | undefined,
  spec: string,
): Promise<z.infer<typeof dumpSchema>> {
  if (python === undefined || python === '')
    throw unfit('No Python for BaxBench is named on this worker.', checkout);
  let output: string;
  try {
    const { stdout } = await run(python, ['-B', DUMP, checkout.home, spec], {
      // Sets of weaknesses are listed in the same order each time only with a fixed hash seed.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', PYTHONHASHSEED: '0' },
      timeout: DUMP_MS,
      maxBuffer: 256 * 1024 * 1024,
    });
    output = stdout;
  } catch (error) {
    throw unfit(`${python} cannot read the checkout: ${lastLines(error)}`, checkout, error);
  }
  const dump = dumpSchema.parse(JSON.parse(output));
  const [major = 0, minor = 0] = dump.python.split('.').map(Number);
  if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1]))
    throw unfit(`${python} is Python ${dump.python}.`, checkout);
  if (dump.missing.length > 0) throw unfit(`${python} lacks ${dump.missing.join(', ')}.`, checkout);
  return dump;
}

function unfit(problem: string, checkout: Checkout, cause?: unknown): SecpiError {
  return new SecpiError('BENCHMARK_UNAVAILABLE', problem, {
    field: 'BAXBENCH_PYTHON',
    remedy: `Set BAXBENCH_PYTHON to a Python of at least ${OLDEST_PYTHON.join('.')} with the packages of ${checkout.home}/Pipfile.lock (\`pipenv sync\`, then \`pipenv --py\`).`,
    cause,
  });
}

function lastLines(error: unknown): string {
  const printed = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return (printed === '' ? messageOf(error) : printed).split('\n').slice(-3).join(' ').slice(-500);
}
