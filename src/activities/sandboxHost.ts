/** The sandbox of a worker, what runs inside it, and the benchmarks that it can drive. */
import { availableParallelism } from 'node:os';
import type { AnalyserName, BenchmarkName } from '../contract/benchmarkNames.ts';
import { SecpiError } from '../contract/errors.ts';
import type { EvaluateSettings } from '../contract/recipe.ts';
import { createOpinions, type Opinions } from '../services/benchmarks/analysers/index.ts';
import type { BenchmarkDriver } from '../services/benchmarks/driver.ts';
import { createGradingLane, type GradingLane } from '../services/benchmarks/gradeReplies.ts';
import { openBenchmark } from '../services/benchmarks/open.ts';
import { createGvisorSandbox } from '../services/sandboxGvisor/index.ts';
import { createSandbox, stageToolchain, type Sandbox, type Toolchain } from '../services/sandbox/index.ts';
import type { Deps } from './deps.ts';

export interface SandboxHost {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  /** Opened once for equal settings. `field` is where the recipe names the benchmark. */
  driver(name: BenchmarkName, settings: EvaluateSettings, field?: string): Promise<BenchmarkDriver>;
  /** Started once for equal names. */
  opinions(names: readonly AnalyserName[]): Promise<Opinions>;
  /** Shared by all gradings on this worker. */
  readonly lane: GradingLane;
  close(): Promise<void>;
}

export async function prepareHost({
  paths,
  environment,
}: Pick<Deps, 'paths' | 'environment'>): Promise<SandboxHost> {
  const toolchain = await stageToolchain({ cacheDir: paths.cacheDir, pip: [paths.pythonPath, '-m', 'pip'] });
  const sandbox = await openSandbox(toolchain, environment);
  const drivers = new Map<string, Promise<BenchmarkDriver>>();
  const opinions = new Map<string, Promise<Opinions>>();
  return {
    sandbox,
    toolchain,
    driver: async (name, settings, field = 'evaluate.benchmarks') => {
      const { cweval, baxbench, languages, limits } = settings;
      const key = JSON.stringify([name, cweval, baxbench, languages, limits]);
      const opened =
        drivers.get(key) ??
        openBenchmark(name, {
          suiteDir: paths.suiteDir,
          sandbox,
          toolchain,
          environment,
          settings,
          field,
        });
      drivers.set(key, opened);
      return await opened.catch((error: unknown) => {
        // The next attempt tries anew: what was missing may be there then.
        drivers.delete(key);
        throw error;
      });
    },
    opinions: async (names) => {
      const { pythonPath, cacheDir } = paths;
      const started =
        opinions.get(names.join()) ?? createOpinions({ names, environment, pythonPath, cacheDir });
      opinions.set(names.join(), started);
      return await started;
    },
    // Tests wait now and then: one more than the cores keeps them busy.
    lane: createGradingLane(availableParallelism() + 1),
    close: async () => {
      for (const opened of drivers.values()) await (await opened).close();
    },
  };
}

/** bubblewrap, or with SECPI_SANDBOX=gvisor a gVisor kernel for each program. */
async function openSandbox(toolchain: Toolchain, environment: Deps['environment']): Promise<Sandbox> {
  const { SECPI_SANDBOX: backend = '', SECPI_RUNSC: runscPath = '' } = environment;
  if (backend === '' || backend === 'bubblewrap') return await createSandbox({ toolchain });
  if (backend === 'gvisor') return await createGvisorSandbox({ toolchain, runscPath });
  throw new SecpiError('RECIPE_INVALID', `SECPI_SANDBOX is "${backend}"; there are bubblewrap and gvisor.`, {
    field: 'SECPI_SANDBOX',
    remedy: 'Correct the variable and start the worker again.',
  });
}
