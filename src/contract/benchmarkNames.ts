/** Benchmarks, prompt variants and analysers by name. */
export const benchmarkNames = ['suite', 'cweval', 'baxbench', 'guard'] as const;
export type BenchmarkName = (typeof benchmarkNames)[number];

/** What a model is told besides the task: nothing, a generic reminder to write secure code, or the task's weaknesses. */
export const promptVariants = ['none', 'generic', 'specific'] as const;
export type PromptVariant = (typeof promptVariants)[number];

/** Static analysers asked for a second opinion; where a worker lacks one, its opinions are missing and that is said. */
export const analyserNames = ['bandit', 'flawfinder', 'cppcheck', 'gosec', 'semgrep'] as const;
export type AnalyserName = (typeof analyserNames)[number];
