/** An evaluation as a night: counts by task, and what makes it comparable. Pure. */
import type { EvaluateSettings } from '../../contract/recipe.ts';
import type { NightTime } from '../../contract/workflows.ts';
import { tallyVerdicts } from '../metrics/index.ts';
import type { EvaluatedBenchmark } from '../report/index.ts';
import { fingerprint } from '../store/index.ts';
import { scoreOf, type Night } from './decide.ts';
import { pooled } from './judge.ts';

export interface MeasuredBenchmark {
  /** As read back for the report: one model alone. */
  readonly evaluated: EvaluatedBenchmark;
  /** uri of the graded artefact. */
  readonly artifact: string;
  /** Content hash of the generation that was graded. */
  readonly samplesSha256: string;
  /** What served weights of our own, e.g. ["vllm"], as the generation notes it; empty for an endpoint. */
  readonly engine: readonly string[];
}

export interface NightContext {
  readonly series: string;
  readonly workflowId: string;
  readonly time: NightTime;
  readonly model: string;
  readonly evaluate: EvaluateSettings;
}

/** Counts are those of the first prompt variant, like every headline. Samples without a verdict are failures. */
export function measureNight(
  { series, workflowId, time, model, evaluate }: NightContext,
  measured: MeasuredBenchmark,
): Night {
  const { evaluated, artifact, samplesSha256 } = measured;
  const { name, measures, tasks, samplesPerTask, variants, base } = evaluated;
  const metric = measures === 'function' ? 'func' : 'funcSec';
  const denominator = { benchmark: name, tasks, samplesPerTask, variants };
  const [tallies = []] = tallyVerdicts(denominator, base).values();
  const counts = tallies.map((tally) => ({ samples: tally.samples, successes: tally[metric] }));
  return {
    version: 1,
    series,
    benchmark: name,
    at: time.at,
    scheduledAt: time.scheduledAt,
    workflowId,
    firstRunId: time.firstRunId,
    model,
    evaluation: artifact,
    samplesSha256,
    identity: identityOf(measured, evaluate),
    metric,
    tasks: tallies.map(({ taskId, samples, func, funcSec }) => ({
      taskId,
      samples,
      func,
      funcSec: measures === 'function' ? null : funcSec,
    })),
    unknown: tallies.reduce((sum, { unknown }) => sum + unknown, 0),
    score: scoreOf(pooled([counts])),
  };
}

/**
 * Hash of everything but the model that decides an answer or its verdict: tasks, prompts, tests, sampling, limits, the
 * harness and its tools. The number of samples is not part of it: the test takes any.
 */
export function identityOf(
  { evaluated, engine }: Pick<MeasuredBenchmark, 'evaluated' | 'engine'>,
  { sampling, limits, cweval }: Pick<EvaluateSettings, 'sampling' | 'limits' | 'cweval'>,
): string {
  const { name, measures, tasks, variants, versions } = evaluated;
  const [variant = 'none'] = variants;
  return fingerprint({
    benchmark: name,
    measures,
    tasks: tasks.map(({ taskId, prompts, testsSha256 }) => ({
      taskId,
      prompt: prompts[variant] ?? '',
      testsSha256,
    })),
    variant,
    sampling,
    limits,
    testSeconds: name === 'cweval' ? cweval.testSeconds : null,
    engine: [...engine],
    versions: { ...versions },
  });
}
