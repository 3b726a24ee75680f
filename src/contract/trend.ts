/** What the nights of a re-evaluation come to: decisions, gaps, and the trend that a report shows. Pure. */
import { z } from 'zod';
import { benchmarkNames } from './benchmarkNames.ts';
import { share } from './recipe/fields.ts';
import { scoreSchema } from './score.ts';

/** The worst first: of several benchmarks the run has the first that any has. */
export const nightStates = ['regression', 'drift', 'improved', 'collecting', 'steady'] as const;
export type NightState = (typeof nightStates)[number];

/** What is looked at each night: the night alone, and the last nights together for what sinks slowly. */
export const lookNames = ['tonight lower', 'window lower', 'tonight higher'] as const;

export const lookSchema = z.strictObject({
  name: z.enum(lookNames),
  /** Nights whose samples are pooled. */
  nights: z.int().positive(),
  /** Share of successes in them. */
  value: share,
  /** One-sided, exact. */
  pValue: share,
  /** The share of the false-alarm rate that this look may spend. */
  alpha: share,
});
export type Look = z.infer<typeof lookSchema>;

export const decisionSchema = z.strictObject({
  state: z.enum(nightStates),
  /** What is compared with; the nights so far while it is collected. */
  baseline: z.strictObject({ nights: z.int().positive(), score: scoreSchema }),
  /** Empty while the baseline is collected, and where no sample is new. */
  looks: z.array(lookSchema),
  sentences: z.array(z.string()),
});
export type Decision = z.infer<typeof decisionSchema>;

/** Scheduled nights without a record, between two that have one. */
export const gapSchema = z.strictObject({
  after: z.iso.datetime(),
  before: z.iso.datetime(),
  nights: z.int().positive(),
});
export type Gap = z.infer<typeof gapSchema>;

export const trendNightSchema = z.strictObject({
  at: z.iso.datetime(),
  scheduledAt: z.iso.datetime(),
  model: z.string(),
  /** Share of successes, with the exact interval for these tasks. */
  score: scoreSchema,
  state: z.enum(nightStates),
  /** Belongs to the baseline that the newest night is compared with. */
  isBaseline: z.boolean(),
  /** Asked as the newest night was: only such nights are compared. */
  isComparable: z.boolean(),
  /** Samples that could not be graded: failures. */
  unknown: z.int().nonnegative(),
});
export type TrendNight = z.infer<typeof trendNightSchema>;

export const benchmarkTrendSchema = z.strictObject({
  name: z.enum(benchmarkNames),
  metric: z.enum(['funcSec', 'func']),
  decision: decisionSchema,
  /** Oldest first. */
  nights: z.array(trendNightSchema).min(1),
  gaps: z.array(gapSchema),
  /** What a night can and cannot find, a sentence each. */
  power: z.array(z.string()),
});
export type BenchmarkTrend = z.infer<typeof benchmarkTrendSchema>;

export const trendSchema = z.strictObject({
  series: z.string(),
  benchmarks: z.array(benchmarkTrendSchema).min(1),
});
export type Trend = z.infer<typeof trendSchema>;
