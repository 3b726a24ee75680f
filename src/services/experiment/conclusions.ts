/** What an experiment allows to say, a sentence each. */
import type { VariantSummary } from '../../contract/experimentSummary.ts';

const SIGNIFICANCE = 0.05;

type Difference = NonNullable<VariantSummary['benchmarks'][number]['difference']>;

/** Correction and interval must agree: each has a weak side when scenarios are few. */
export function isDistinguishable({ adjustedPValue, low, high }: Difference): boolean {
  return adjustedPValue < SIGNIFICANCE && (low > 0 || high < 0);
}

/** About the headline's benchmark; failures first. */
export function conclusionsOf(variants: readonly VariantSummary[], reference: string): string[] {
  const failed = variants.filter(({ error }) => error !== null);
  const others = variants.filter(({ name, error }) => name !== reference && error === null);
  const referenceFailed = failed.some(({ name }) => name === reference);
  return [
    ...(referenceFailed ? [`The reference ${reference} failed: nothing is compared.`] : []),
    ...failed
      .filter(({ name }) => name !== reference)
      .map(({ name }) => `${name} failed; it counts in the correction as planned.`),
    ...(referenceFailed ? [] : others.map((variant) => sentence(variant, reference))),
  ];
}

function sentence({ name, benchmarks }: VariantSummary, reference: string): string {
  const [headline] = benchmarks;
  const difference = headline?.difference ?? null;
  if (headline === undefined || difference === null)
    return `${name} cannot be compared with ${reference}: ${headline?.notCompared ?? 'it has no scores'}.`;
  const { value, adjustedPValue } = difference;
  const basis = `${headline.tasks} tasks of ${headline.scenarios} scenarios, p by Holm ${adjustedPValue < 0.001 ? '< 0.001' : adjustedPValue.toFixed(3)}`;
  const size = `${(100 * Math.abs(value)).toFixed(1)} points`;
  if (!isDistinguishable(difference))
    return `${name} and ${reference} cannot be told apart: ${size} ${value < 0 ? 'lower' : 'higher'} (${basis}).`;
  return `${name} is ${size} ${value < 0 ? 'below' : 'above'} ${reference} (${basis}).`;
}
