/** Which weaknesses, and which tasks, count as seen in training. */
import { kinOf } from '../cwe/index.ts';

/**
 * Seen: the weakness itself or its kin was trained on. A classifier is free to name any of them for the same code
 * (SQL injection goes by 89 and by 943), so all must be absent before a gain may be called transfer. Holding a weakness
 * out of a distillation (`holdOutCwes`) removes the same kin, so what was held out is never seen.
 */
export function isSeen(cwe: string, trainedCwes: ReadonlySet<string>): boolean {
  return !kinOf(cwe).isDisjointFrom(trainedCwes);
}

/** A task is seen when any of its weaknesses is, held out when none is; null where it is about no weakness. */
export function exposureOf(
  { cwes }: { readonly cwes: readonly string[] },
  trainedCwes: ReadonlySet<string>,
): 'seen' | 'heldOut' | null {
  if (cwes.length === 0) return null;
  return cwes.some((cwe) => isSeen(cwe, trainedCwes)) ? 'seen' : 'heldOut';
}
