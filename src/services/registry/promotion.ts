/** Is a version better than the current one? Losses compare only where they were measured on the same rows. Pure. */
import type { ModelEntry } from './entry.ts';

export interface Judgement {
  readonly better: boolean;
  /** For people: one clause. */
  readonly reason: string;
}

/** By held-out loss after training. Without a current version the first one is taken as it is. */
export function judge(candidate: ModelEntry, current: ModelEntry | null): Judgement {
  if (current === null) return { better: true, reason: 'no version was current' };
  const different = differingFields(candidate, current);
  if (different.length > 0)
    return no(`version ${current.version} was measured on other rows (${different.join(', ')} differ)`);
  const [loss, holding] = [candidate.metrics.evalLossAfter, current.metrics.evalLossAfter];
  if (loss === null) return no('no held-out loss was measured (evalShare is 0?)');
  if (holding === null) return no(`version ${current.version} has no held-out loss to compare with`);
  const figures = `held-out loss ${loss.toFixed(4)}, version ${current.version} has ${holding.toFixed(4)}`;
  return loss < holding ? { better: true, reason: figures } : no(figures);
}

function no(reason: string): Judgement {
  return { better: false, reason };
}

/** All that decides which tokens the held-out loss is the mean over. */
function differingFields(left: ModelEntry, right: ModelEntry): string[] {
  const [ours, theirs] = [heldOutOf(left), heldOutOf(right)];
  return Object.entries(ours).flatMap(([name, value]) =>
    JSON.stringify(value) === JSON.stringify(theirs[name]) ? [] : [name],
  );
}

function heldOutOf({ lineage }: ModelEntry): Readonly<Record<string, unknown>> {
  const { settings } = lineage;
  return {
    traces: lineage.traces.contentSha256,
    evalShare: settings['evalShare'] ?? null,
    seed: settings['seed'] ?? null,
    // Rows are cut or dropped by these, and nats per token depend on the tokens.
    maxSequenceTokens: settings['maxSequenceTokens'] ?? null,
    longRows: settings['longRows'] ?? null,
    tokenizer: lineage.tokenizerSha256,
  };
}
