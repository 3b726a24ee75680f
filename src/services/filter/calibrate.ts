/** How far the classifier agrees with people: precision, recall and F1 on labelled rows, with intervals, and a gate. Pure. */
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import type { Calibration } from '../../contract/recipe.ts';
import { cweSchema } from '../../contract/rows.ts';
import { clopperPearson } from '../metrics/index.ts';

/** A row that a person has judged; further fields are left alone. */
export const labelledRowSchema = z.object({
  id: z.string().min(1).optional(),
  task: z.string().min(1),
  relevant: z.boolean(),
  cwes: z.array(cweSchema).default([]),
});
export type LabelledRow = z.infer<typeof labelledRowSchema>;

export interface Judgement {
  readonly labelled: boolean;
  readonly said: boolean;
}

/** A share with its exact 95 % interval; null where nothing can be said (nothing was called relevant). */
export interface Rate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Agreement {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly precision: Rate | null;
  readonly recall: Rate | null;
  readonly f1: Rate | null;
}

const CONFIDENCE = 0.95;

/**
 * Precision = TP / (TP + FP), recall = TP / (TP + FN), with Clopper–Pearson's intervals. F1 = 2 J / (1 + J) with
 * J = TP / (TP + FP + FN), a proportion of the rows that either calls relevant, so its exact interval carries over.
 */
export function measureAgreement(judgements: Iterable<Judgement>): Agreement {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (const { labelled, said } of judgements) {
    if (said) counts[labelled ? 'truePositives' : 'falsePositives'] += 1;
    else counts[labelled ? 'falseNegatives' : 'trueNegatives'] += 1;
  }
  const { truePositives, falsePositives, falseNegatives } = counts;
  const jaccard = rate(truePositives, truePositives + falsePositives + falseNegatives);
  const toF1 = (share: number): number => (2 * share) / (1 + share);
  return {
    ...counts,
    precision: rate(truePositives, truePositives + falsePositives),
    recall: rate(truePositives, truePositives + falseNegatives),
    f1:
      jaccard === null
        ? null
        : { value: toF1(jaccard.value), low: toF1(jaccard.low), high: toF1(jaccard.high) },
  };
}

function rate(successes: number, n: number): Rate | null {
  if (n === 0) return null;
  return { value: successes / n, ...clopperPearson(successes, n, CONFIDENCE) };
}

/** Throws CALIBRATION_FAILED when the lower end of an interval is below what the recipe asks for. */
export function enforceGate(agreement: Agreement, gate: Calibration): void {
  const failures = (
    [
      ['precision', agreement.precision, gate.minPrecision, 'minPrecision'],
      ['recall', agreement.recall, gate.minRecall, 'minRecall'],
      ['F1', agreement.f1, gate.minF1, 'minF1'],
    ] as const
  ).flatMap(([name, measured, least, field]) => {
    const low = measured?.low ?? 0;
    if (low >= least) return [];
    return [
      {
        field,
        text: `the lower end of ${name} is ${low.toFixed(3)} (${describeRate(measured)}), below ${least}`,
      },
    ];
  });
  const [first] = failures;
  if (first === undefined) return;
  throw new SecpiError('CALIBRATION_FAILED', `${failures.map(({ text }) => text).join('; ')}.`, {
    field: `filter.calibration.${first.field}`,
  });
}

/** "0.912 [0.831, 0.961]" */
export function describeRate(measured: Rate | null): string {
  if (measured === null) return 'not measurable';
  const { value, low, high } = measured;
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}
