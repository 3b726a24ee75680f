/** Distributions of counts as plain arrays. Pure. */

/** Probability of `low + i` at index i; what is left out has less than 1e-290 each. */
export interface Distribution {
  readonly low: number;
  readonly p: Float64Array;
}

/** Below it numbers lose digits and become slow; no level of significance is near. */
const NEGLIGIBLE = 1e-290;

/** Few shapes recur by task and night; all are forgotten when they are many. */
const known = new Map<number, Distribution>();
const MOST_KNOWN = 4096;
/** Above it a shape has no name of its own. */
const MAX_NAMED = 2 ** 17;

/**
 * Successes among `drawn` of `total` things, `successes` of which are successes. Neighbouring terms differ by the factor
 * (K−k)(n−k) / ((k+1)(N−K−n+k+1)), so all follow from the mode's, without factorials that overflow.
 * @throws RangeError unless 0 ≤ successes, drawn ≤ total
 */
export function hypergeometric(total: number, successes: number, drawn: number): Distribution {
  if (!(successes >= 0 && drawn >= 0 && successes <= total && drawn <= total))
    throw new RangeError(`${drawn} drawn of ${total} with ${successes} successes`);
  const name = total < MAX_NAMED ? (total * MAX_NAMED + successes) * MAX_NAMED + drawn : null;
  const earlier = name === null ? undefined : known.get(name);
  if (earlier !== undefined) return earlier;
  const made = distributionOf(total, successes, drawn);
  if (name === null) return made;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name, made);
  return made;
}

function distributionOf(total: number, successes: number, drawn: number): Distribution {
  const low = Math.max(0, drawn + successes - total);
  const high = Math.min(drawn, successes);
  const p = new Float64Array(high - low + 1);
  const expected = Math.floor(((drawn + 1) * (successes + 1)) / (total + 2));
  const mode = Math.min(high, Math.max(low, expected));
  const ratio = (k: number): number =>
    ((successes - k) * (drawn - k)) / ((k + 1) * (total - successes - drawn + k + 1));
  p[mode - low] = 1;
  for (let k = mode; k < high; k += 1) p[k + 1 - low] = (p[k - low] ?? 0) * ratio(k);
  for (let k = mode; k > low; k -= 1) p[k - 1 - low] = (p[k - low] ?? 0) / ratio(k - 1);
  const sum = p.reduce((all, each) => all + each, 0);
  return { low, p: p.map((each) => each / sum) };
}

/** The distribution of the sum of independent counts. Every term is positive: nothing cancels. */
export function sumOf(parts: readonly Distribution[]): Distribution {
  const width = parts.reduce((all, { p }) => all + p.length - 1, 1);
  let [now, next] = [new Float64Array(width), new Float64Array(width)];
  // Within `now`, [from, to) holds what is not negligible.
  let [low, from, to] = [0, 0, 1];
  now[0] = 1;
  for (const { low: start, p } of parts) {
    next.fill(0, from, to + p.length - 1);
    for (let i = from; i < to; i += 1) {
      const weight = now[i] ?? 0;
      for (let j = 0; j < p.length; j += 1) next[i + j] = (next[i + j] ?? 0) + weight * (p[j] ?? 0);
    }
    [now, next] = [next, now];
    low += start;
    to += p.length - 1;
    while (from < to - 1 && (now[from] ?? 0) < NEGLIGIBLE) from += 1;
    while (to - 1 > from && (now[to - 1] ?? 0) < NEGLIGIBLE) to -= 1;
  }
  return { low: low + from, p: now.subarray(from, to) };
}

/** P(X ≤ x) and P(X ≥ x), each summed over its own side: a small one keeps its digits. */
export function tails({ low, p }: Distribution, x: number): { atMost: number; atLeast: number } {
  let [atMost, atLeast] = [0, 0];
  for (let i = 0; i < p.length; i += 1) {
    const term = p[i] ?? 0;
    if (low + i <= x) atMost += term;
    if (low + i >= x) atLeast += term;
  }
  return { atMost: Math.min(1, atMost), atLeast: Math.min(1, atLeast) };
}
