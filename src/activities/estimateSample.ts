/** What answers of a sample came to, and the prices they are reckoned at. */
import type { Endpoint } from '../contract/recipe.ts';
import type { RowCost } from '../services/estimate/projectStage.ts';
import { dearestOf, priceOf, priceOfFallback, type Price, type PriceFound } from '../services/llm/price.ts';
import type { RowResult } from '../services/llm/runRows.ts';

/** Every answer that was paid for counts, usable or not. */
export function sizesOf<Row>(
  rows: readonly Row[],
  results: readonly RowResult<unknown>[],
  promptBytesOf: (row: Row) => number,
): RowCost[] {
  return results.flatMap((result, position) => {
    const row = rows[position];
    if (result.answer === null || row === undefined) return [];
    const { usage, latencyMs } = result.answer;
    return [{ promptBytes: promptBytesOf(row), usage, requests: 1, latencyMs }];
  });
}

export function pricesOf(endpoint: Endpoint): { price: PriceFound; worstPrice: Price | null } {
  const price = priceOf(endpoint);
  if (price.price === null) return { price, worstPrice: null };
  const others = endpoint.fallbacks.flatMap((fallback) => priceOfFallback(endpoint, fallback).price ?? []);
  return { price, worstPrice: dearestOf([price.price, ...others]) };
}
