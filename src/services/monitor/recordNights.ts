/** A night's benchmarks: compared with their series, decided on and kept, with what a report and a result say of them. */
import { nightStates, type BenchmarkTrend, type Trend } from '../../contract/trend.ts';
import type { NightBenchmark, NightResult, ReevaluateInput } from '../../contract/workflows.ts';
import type { ObjectStore } from '../store/index.ts';
import { decide, type DecisionPlan, type Night } from './decide.ts';
import { isOfSameRun, openSeries, type StoredNight } from './series.ts';
import { trendOf } from './trend.ts';

export interface RecordedNights {
  /** For the summary of the report. */
  readonly trend: Trend;
  /** The night's result but for the report's files. */
  readonly night: Omit<NightResult, 'report'>;
}

/**
 * `nights`: of `measureNight`, one a benchmark, of one run. Safe to repeat, also after some were kept: a record that this
 * run has kept holds, and the nights after it are not looked at.
 */
export async function recordNights(
  objects: Pick<ObjectStore, 'get' | 'list' | 'putIfAbsent' | 'uriOf'>,
  { series: name, baseline, monitor, cadenceHours, evaluate }: ReevaluateInput,
  nights: readonly [Night, ...Night[]],
): Promise<RecordedNights> {
  const series = openSeries(objects, name);
  const stored = await series.read();
  const plan: DecisionPlan = { baseline, monitor, benchmarks: evaluate.benchmarks.length };
  const [first] = nights;
  const before = stored.filter(
    ({ record }) => !isOfSameRun(record, first) && Date.parse(record.at) <= Date.parse(first.at),
  );
  const kept: KeptNight[] = [];
  for (const night of nights) {
    const history = before.filter(({ record }) => record.benchmark === night.benchmark);
    const own = stored.find(
      ({ record }) => isOfSameRun(record, night) && record.benchmark === night.benchmark,
    );
    const records = history.map(({ record }) => record);
    const holding = own ?? (await series.keep({ ...night, decision: decide(records, night, plan) }));
    kept.push({ ...holding, history });
  }
  const settings = { ...plan, cadenceHours, temperature: evaluate.sampling.temperature };
  const benchmarks = kept.map(({ record, history: before }) =>
    trendOf(
      before.map((one) => one.record),
      record,
      settings,
    ),
  );
  return { trend: { series: name, benchmarks }, night: resultOf(kept, benchmarks) };
}

interface KeptNight extends StoredNight {
  readonly history: readonly StoredNight[];
}

function resultOf(kept: readonly KeptNight[], trends: readonly BenchmarkTrend[]): RecordedNights['night'] {
  const worstFirst = kept.toSorted((a, b) => rankOf(a) - rankOf(b));
  const [worst] = worstFirst;
  if (worst === undefined) throw new Error('a night has a benchmark');
  const { series, at, scheduledAt, model, decision } = worst.record;
  const gaps = trends.map((trend) => trend.gaps.findLast(({ before }) => before === scheduledAt));
  const missedNights = Math.max(0, ...gaps.map((gap) => gap?.nights ?? 0));
  return {
    series,
    at,
    scheduledAt,
    model,
    state: decision.state,
    regression: decision.state === 'regression' || decision.state === 'drift',
    changed: kept.some(isChanged),
    benchmarks: kept.map(benchmarkOf),
    missedNights,
    sentences: [
      ...worstFirst.flatMap(({ record }) => record.decision.sentences),
      ...(missedNights === 0
        ? []
        : [`${missedNights === 1 ? 'A night was' : `${missedNights} nights were`} missed before this one.`]),
    ],
  };
}

/** That a baseline is full is no news; that another begins is. */
function isChanged({ record, history }: KeptNight): boolean {
  const now = record.decision.state;
  const before = history.at(-1)?.record.decision.state ?? now;
  return before !== now && !(before === 'collecting' && now === 'steady');
}

function benchmarkOf({ record, uri }: StoredNight): NightBenchmark {
  const { benchmark, metric, score, decision } = record;
  const { state, baseline, looks } = decision;
  return { name: benchmark, metric, score, state, baseline, looks, record: uri };
}

function rankOf({ record }: StoredNight): number {
  return nightStates.indexOf(record.decision.state);
}
