/** What a model is asked, and how its answers are graded. */
import { z } from 'zod';
import { analyserNames, benchmarkNames, promptVariants } from '../benchmarkNames.ts';
import { samplingSchema } from './endpoint.ts';
import { gpuClass, languageNames } from './fields.ts';

const unique = { message: 'must not name one twice' };
const isUnique = (names: readonly string[]): boolean => new Set(names).size === names.length;

export const evaluateSchema = z
  .strictObject({
    /** Run side by side; the first is the one that the headline and the search attributes are about. */
    benchmarks: z.array(z.enum(benchmarkNames)).min(1).refine(isUnique, unique).default(['suite']),
    /** Benchmarks that may be left out where no worker can grade them; the report says so. */
    skipUnavailable: z.array(z.enum(benchmarkNames)).refine(isUnique, unique).default([]),
    /** The headline is about the first; the others are told beside it. */
    promptVariants: z.array(z.enum(promptVariants)).min(1).refine(isUnique, unique).default(['none']),
    /** Only tasks in these languages, of every benchmark; empty is all. */
    languages: languageNames,
    cweval: z
      .strictObject({
        /** Checkout on the sandbox workers; their CWEVAL_HOME where not given. */
        home: z.string().min(1).max(4096).optional(),
        /** Wall time of one test. Upstream's own 3 s fail good samples on a busy machine. */
        testSeconds: z.number().positive().max(600).default(20),
      })
      .prefault({}),
    baxbench: z
      .strictObject({
        /** Checkout on the sandbox workers; their BAXBENCH_HOME where not given. */
        home: z.string().min(1).max(4096).optional(),
        /** Names of scenarios and frameworks as BaxBench has them; empty is all. */
        scenarios: z.array(z.string().min(1).max(128)).default([]),
        envs: z.array(z.string().min(1).max(128)).default([]),
        spec: z.enum(['openapi', 'text']).default('openapi'),
      })
      .prefault({}),
    /** Generation with a local model. */
    server: z
      .strictObject({
        /** "auto": vLLM where the GPU worker has it, else the project's own server. */
        engine: z.enum(['auto', 'own', 'vllm']).default('auto'),
        /** Further arguments of `vllm serve`, e.g. ["--tensor-parallel-size", "2"]. */
        vllmArguments: z.array(z.string().min(1).max(256)).max(64).default([]),
      })
      .prefault({}),
    /** Class of the GPU workers that generate; workers without a class where not given. */
    gpu: z.strictObject({ class: gpuClass.optional() }).prefault({}),
    samplesPerTask: z.int().min(1).max(1000).default(10),
    /** Tries of pass@k in the headline. */
    k: z.int().min(1).max(1000).default(1),
    sampling: samplingSchema.prefault({ temperature: 0.8, maxTokens: 2048 }),
    /** Samples sent together as one fixed batch: the unit of resume. */
    batchSamples: z.int().min(1).max(4096).default(32),
    /** Samples of one grading activity. */
    gradeShardSamples: z.int().min(1).max(10_000).default(64),
    limits: z
      .strictObject({
        /** Wall time of the tests of one sample; more on the retries after a timeout. */
        wallSeconds: z.number().positive().max(3600).default(20),
        memoryMiB: z.int().min(64).max(1_048_576).default(1024),
      })
      .prefault({}),
    /** Each benchmark's own references are graded before any sample: what fails there says nothing about a model. */
    references: z
      .strictObject({
        /** Gradings of each reference; more than one tells flaky tests. */
        repeats: z.int().min(1).max(100).default(1),
        /** "flag": go on, the tasks are named in the report. */
        onFailure: z.enum(['fail', 'flag']).default('fail'),
      })
      .prefault({}),
    analysers: z.array(z.enum(analyserNames)).refine(isUnique, unique).default(['bandit', 'flawfinder']),
  })
  .refine(({ k, samplesPerTask }) => k <= samplesPerTask, {
    message: 'must not be above samplesPerTask',
    path: ['k'],
  });
export type EvaluateSettings = z.infer<typeof evaluateSchema>;
