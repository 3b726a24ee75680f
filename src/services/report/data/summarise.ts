/** The data of a run in numbers, from the manifests of its two data stages. */
import { calibrationSummarySchema, type DataSummary } from '../../../contract/summary.ts';
import { countsSchema, type Counts, type Manifest } from '../../../contract/manifest.ts';

const REJECTED = 'rejected.';

export function dataSummaryOf(
  filter: Pick<Manifest, 'counts' | 'facts'>,
  traces: Pick<Manifest, 'counts' | 'facts'>,
): DataSummary {
  const rejections = Object.entries(traces.counts).flatMap(([name, count]) =>
    name.startsWith(REJECTED) ? [[name.slice(REJECTED.length), count] as const] : [],
  );
  return {
    filter: filter.counts,
    distil: Object.fromEntries(Object.entries(traces.counts).filter(([name]) => !name.startsWith(REJECTED))),
    rejections: Object.fromEntries(rejections.sort(([, a], [, b]) => b - a)),
    cwes: countsOf(traces.facts['cwes']),
    languages: countsOf(traces.facts['languages']),
    calibration: calibrationSummarySchema.safeParse(filter.facts['calibration']).data ?? null,
  };
}

/** Artefacts of older versions lack some facts. */
function countsOf(fact: unknown): Counts {
  return countsSchema.safeParse(fact).data ?? {};
}
