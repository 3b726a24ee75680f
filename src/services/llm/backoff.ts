/** How long to wait before the next attempt. Pure. */

interface HeaderReader {
  get(name: string): string | null;
}

/**
 * The delay a server asks for, in milliseconds; null when it asks for none or nonsense.
 * `retry-after-ms` (OpenAI's) wins over `Retry-After`, which is seconds or an HTTP date (RFC 9110, 10.2.3).
 */
export function retryAfterMs(headers: HeaderReader | undefined, nowMs: number): number | null {
  const milliseconds = numberOf(headers?.get('retry-after-ms'));
  if (milliseconds !== null) return milliseconds;
  const value = headers?.get('retry-after');
  const seconds = numberOf(value);
  if (seconds !== null) return seconds * 1000;
  const date = Date.parse(value ?? '');
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

function numberOf(value: string | null | undefined): number | null {
  const text = value?.trim() ?? '';
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
}

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Doubling delay with "equal jitter" (half fixed, half random), so that rows that failed together do not come back
 * together. `failures` counts from 1; `random` is in [0, 1).
 */
export function backoffMs(failures: number, limits: BackoffLimits, random: number): number {
  const ceiling = Math.min(limits.maxMs, limits.firstMs * 2 ** (failures - 1));
  return ceiling / 2 + (ceiling / 2) * random;
}
