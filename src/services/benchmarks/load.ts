/** Benchmarks by name: what is asked, and what decides a result. */
import { SecpiError } from '../../contract/errors.ts';
import type { BenchmarkName } from '../../contract/recipe.ts';
import { fingerprint } from '../store/index.ts';
import { buildPrompt, suitePromptVersion } from './suite/prompt.ts';
import { loadSuite, suiteContentHash, type SuiteTask } from './suite/suiteTask.ts';

export interface BenchmarkTask extends SuiteTask {
  readonly benchmark: BenchmarkName;
  /** The whole user message. */
  readonly message: string;
}

export interface Benchmark {
  readonly name: BenchmarkName;
  /** Hash of what the model is asked: part of a generation's fingerprint. */
  readonly promptsSha256: string;
  /** Hash of tasks and tests: part of a grading's fingerprint. */
  readonly contentSha256: string;
  readonly tasks: readonly BenchmarkTask[];
}

/** Refuses at once what this version cannot drive. Throws BENCHMARK_UNAVAILABLE, SUITE_INVALID. */
export async function loadBenchmarks(
  names: readonly BenchmarkName[],
  suiteDir: string,
  field = 'evaluate.benchmarks',
): Promise<Benchmark[]> {
  return await Promise.all(
    names.map(async (name, index) => await loadBenchmark(name, suiteDir, `${field}[${index}]`)),
  );
}

async function loadBenchmark(name: BenchmarkName, suiteDir: string, field: string): Promise<Benchmark> {
  if (name !== 'suite') {
    throw new SecpiError(
      'BENCHMARK_UNAVAILABLE',
      `this version grades "suite" only; it does not drive "${name}" yet.`,
      { field },
    );
  }
  const suite = await loadSuite(suiteDir);
  const tasks = suite.map((task) => ({ ...task, benchmark: name, message: buildPrompt(task) }));
  return {
    name,
    promptsSha256: fingerprint({
      version: suitePromptVersion,
      messages: tasks.map(({ id, message }) => [id, message]),
    }),
    contentSha256: suiteContentHash(suite),
    tasks,
  };
}
