/**
 * Holm's step-down correction (Holm 1979, Scandinavian Journal of Statistics 6): of m hypotheses the i-th smallest
 * p-value is multiplied by m − i + 1, and none is below one that was smaller. With adjusted values below α the chance of
 * any wrong rejection is at most α, whatever depends on what: here all variants share the reference.
 * `family` counts the hypotheses that were planned: those without a p-value weigh as if it were 1.
 * @throws RangeError when there are more p-values than hypotheses.
 */
export function holm(pValues: readonly number[], family: number): number[] {
  if (pValues.length > family) throw new RangeError(`${pValues.length} p-values of ${family} hypotheses`);
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const adjusted = pValues.map(() => 1);
  let before = 0;
  for (const [rank, index] of order.entries()) {
    before = Math.min(1, Math.max(before, (family - rank) * (pValues[index] ?? 1)));
    adjusted[index] = before;
  }
  return adjusted;
}
