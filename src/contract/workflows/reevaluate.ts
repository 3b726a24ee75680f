/** `reevaluate`: the same model or endpoint asked again each night, compared with the baseline of its series. */
import { z } from 'zod';
import type { ReportedEvaluation } from '../activities.ts';
import { benchmarkNames } from '../benchmarkNames.ts';
import { budgetSchema, endpointSchema, evaluateSchema, followedModelSchema, reuseSchema } from '../recipe.ts';
import { environmentName, seriesName } from '../recipe/fields.ts';
import { sha256Schema } from '../refs.ts';
import { scoreSchema } from '../score.ts';
import { decisionSchema, nightStates } from '../trend.ts';
import { reportFilesSchema } from './results.ts';

export const notifyTargetSchema = z.strictObject({
  /** Variable of the control workers that holds the address: https, or http to this host. */
  urlEnv: environmentName,
  /** Variable that holds the key of the signature; unsigned where not given. */
  secretEnv: environmentName.optional(),
  format: z.enum(['json', 'slack']).default('json'),
  /** "change": the state is another than the night before, a recovery too. */
  when: z.enum(['regression', 'change', 'always']).default('regression'),
});
export type NotifyTarget = z.infer<typeof notifyTargetSchema>;

/** How nights are compared. The defaults are this project's own. */
export const monitorSchema = z.strictObject({
  /** Chance of any false alarm of the series within `horizonNights`, over all its benchmarks and looks. */
  falseAlarmRate: z.number().gt(0).lt(1).default(0.05),
  horizonNights: z.int().min(1).max(3650).default(365),
  /** The last nights that are looked at together, for what sinks slowly; 1 leaves that look out. */
  windowNights: z.int().min(1).max(60).default(7),
});
export type MonitorSettings = z.infer<typeof monitorSchema>;

export const baselineSchema = z.strictObject({
  /** The first nights of the series; fewer where the model changes before. */
  nights: z.int().min(1).max(30).default(3),
  /** Nights before this count no more: how a change that was accepted becomes the new baseline. */
  since: z.iso.datetime().optional(),
});
export type BaselineSettings = z.infer<typeof baselineSchema>;

export const reevaluateInputSchema = z
  .strictObject({
    $schema: z.string().optional(),
    version: z.literal(1),
    reuse: reuseSchema,
    /** Weights, served by a GPU worker; `registry:NAME` follows the current version. */
    model: followedModelSchema.optional(),
    /** Instead of weights: a model that is served already, asked anew each night. */
    endpoint: endpointSchema.optional(),
    budget: budgetSchema.optional(),
    /** Name of the history that nights are compared in. */
    series: seriesName,
    evaluate: evaluateSchema,
    baseline: baselineSchema.prefault({}),
    monitor: monitorSchema.prefault({}),
    /** Time between two nights as scheduled: a longer gap is told as missed nights. */
    cadenceHours: z.number().positive().max(8784).default(24),
    notify: z.array(notifyTargetSchema).max(8).default([]),
  })
  .refine(({ model, endpoint }) => (model === undefined) !== (endpoint === undefined), {
    message: 'needs exactly one of model and endpoint',
    path: ['model'],
  })
  .refine(({ budget, endpoint }) => budget === undefined || endpoint !== undefined, {
    message: 'means something only with an endpoint, since weights of your own cost no answers',
    path: ['budget'],
  });
export type ReevaluateInput = z.infer<typeof reevaluateInputSchema>;

/** One benchmark of one night, kept for good. Schedules write nothing else that a later night depends on. */
export const nightRecordSchema = z.strictObject({
  version: z.literal(1),
  series: z.string(),
  benchmark: z.enum(benchmarkNames),
  /** When the run began and when it was due; equal without a schedule. */
  at: z.iso.datetime(),
  scheduledAt: z.iso.datetime(),
  workflowId: z.string(),
  /** The first run of the chain: the same for every retry and reset. */
  firstRunId: z.string(),
  /** Exact: `registry:NAME@VERSION`, or the endpoint's name of it. */
  model: z.string(),
  /** uri of the graded artefact. */
  evaluation: z.string(),
  /** Content hash of the generated samples: nights with the same one have the same answers. */
  samplesSha256: sha256Schema,
  /** Of everything that must be equal for two nights to be compared: tasks, prompts, sampling, harness. */
  identity: sha256Schema,
  metric: z.enum(['funcSec', 'func']),
  /** Successes, under the first prompt variant. */
  tasks: z
    .array(
      z.strictObject({
        taskId: z.string(),
        samples: z.int().positive(),
        func: z.int().nonnegative(),
        /** Null of a benchmark without security tests. */
        funcSec: z.int().nonnegative().nullable(),
      }),
    )
    .min(1),
  /** Samples of unknown outcome; they count as failures. */
  unknown: z.int().nonnegative(),
  /** Of `metric`: share of successes, with the exact interval for these tasks. */
  score: scoreSchema,
  decision: decisionSchema,
});
export type NightRecord = z.infer<typeof nightRecordSchema>;

/** One benchmark of the night, as results and notifications tell it. */
export const nightBenchmarkSchema = z.strictObject({
  name: z.enum(benchmarkNames),
  metric: z.enum(['funcSec', 'func']),
  score: scoreSchema,
  state: z.enum(nightStates),
  baseline: decisionSchema.shape.baseline,
  looks: decisionSchema.shape.looks,
  /** uri of the night's record. */
  record: z.string(),
});
export type NightBenchmark = z.infer<typeof nightBenchmarkSchema>;

export const nightResultSchema = z.strictObject({
  series: z.string(),
  at: z.iso.datetime(),
  scheduledAt: z.iso.datetime(),
  model: z.string(),
  /** The worst of the benchmarks'. */
  state: z.enum(nightStates),
  /** Worse than the baseline beyond chance: `regression` or `drift`. */
  regression: z.boolean(),
  /** The state is another than the night before; neither of a first night nor when a baseline is full. */
  changed: z.boolean(),
  benchmarks: z.array(nightBenchmarkSchema).min(1),
  /** Since the night before. */
  missedNights: z.int().nonnegative(),
  /** What the night says, the worst first. */
  sentences: z.array(z.string()),
  report: reportFilesSchema,
});
export type NightResult = z.infer<typeof nightResultSchema>;

export const notificationSchema = z.strictObject({
  /** Never the address: the variable that holds it. */
  urlEnv: z.string(),
  delivered: z.boolean(),
  /** Why it was not; null where it was. */
  problem: z.string().nullable(),
});
export type Notification = z.infer<typeof notificationSchema>;

export const reevaluateResultSchema = nightResultSchema.extend({
  costUsd: z.number().nonnegative(),
  /** Targets that the night was a matter for. */
  notified: z.array(notificationSchema),
});
export type ReevaluateResult = z.infer<typeof reevaluateResultSchema>;

/** When a night is: of the first run of the chain, so that a retry and a reset are the same night. */
export interface NightTime {
  readonly at: string;
  readonly scheduledAt: string;
  readonly firstRunId: string;
}

export interface RecordNightInput {
  readonly input: ReevaluateInput;
  /** As resolved. */
  readonly model: string;
  readonly time: NightTime;
  readonly evaluation: ReportedEvaluation;
}

export interface NotifyInput {
  readonly target: NotifyTarget;
  readonly night: NightResult;
  /** As in `NightTime`: a retry and a reset notify once. */
  readonly firstRunId: string;
}

/** Queue `secpi`: the small steps of a night. */
export interface NightActivities {
  /** The exact model that is followed now: the current version, else the newest. MODEL_VERSION_NOT_FOUND. */
  resolveModel(input: { readonly uri: string }): Promise<{ readonly uri: string }>;
  /** Decides on the night's samples, keeps its records, writes the report. Safe to repeat. */
  recordNight(input: RecordNightInput): Promise<NightResult>;
  /** Throws NOTIFY_REFUSED where the receiver will not have it. Safe to repeat. */
  notify(input: NotifyInput): Promise<void>;
}
