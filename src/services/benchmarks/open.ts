/** A benchmark by name, as this machine can drive it. */
import { SecpiError } from '../../contract/errors.ts';
import type { BenchmarkName } from '../../contract/benchmarkNames.ts';
import type { EvaluateSettings } from '../../contract/recipe.ts';
import type { Sandbox, Toolchain } from '../sandbox/index.ts';
import { createBaxbenchDriver } from './baxbench/index.ts';
import { createCwevalDriver } from './cweval/index.ts';
import type { BenchmarkDriver } from './driver.ts';
import { createGuardDriver, createSuiteDriver } from './suite/driver.ts';

export interface OpenBenchmarkOptions {
  /** Holds suite.json and guard.json. */
  readonly suiteDir: string;
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  /** The worker's: PATH, CWEVAL_HOME, BAXBENCH_HOME and what else the adapters name. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly settings: EvaluateSettings;
  /** Where the recipe names the benchmark, for errors. */
  readonly field?: string;
}

/** @throws SecpiError BENCHMARK_UNAVAILABLE with the field when it cannot be driven here; SUITE_INVALID. */
export async function openBenchmark(
  name: BenchmarkName,
  options: OpenBenchmarkOptions,
): Promise<BenchmarkDriver> {
  const { field, settings, environment } = options;
  try {
    switch (name) {
      case 'suite':
        return await createSuiteDriver(options);
      case 'guard':
        return await createGuardDriver(options);
      case 'cweval':
        return await createCwevalDriver({
          ...options,
          home: settings.cweval.home,
          settings: settings.cweval,
        });
      case 'baxbench':
        return await createBaxbenchDriver({
          home: settings.baxbench.home ?? environment['BAXBENCH_HOME'],
          environment,
          settings,
        });
    }
  } catch (error) {
    throw withField(error, field);
  }
}

/** The adapters know what is missing; the caller, where the recipe asks for it. */
function withField(error: unknown, field: string | undefined): unknown {
  if (!(error instanceof SecpiError) || error.code !== 'BENCHMARK_UNAVAILABLE' || field === undefined)
    return error;
  return new SecpiError(error.code, error.problem, {
    field: error.field ?? field,
    remedy: error.remedy,
    cause: error,
  });
}
