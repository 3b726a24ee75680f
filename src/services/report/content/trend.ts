/** The nights of a series: what tonight says, what a night can find, and every night in figures. */
import type { BenchmarkTrend, Look, NightState, TrendNight } from '../../../contract/trend.ts';
import { note, table, text, type Block, type Row } from '../blocks.ts';
import { metricLabels, percent, plural, points, scientific, scoreText } from '../words.ts';
import { count } from './cells.ts';

export const stateWords: Readonly<Record<NightState, string>> = {
  regression: 'regression: lower than the baseline',
  drift: 'drift: the last nights together are lower',
  improved: 'improved: higher than the baseline',
  collecting: 'collecting the baseline',
  steady: 'steady',
};

const lookWords: Readonly<Record<Look['name'], string>> = {
  'tonight lower': 'tonight, lower',
  'window lower': 'the last nights together, lower',
  'tonight higher': 'tonight, higher',
};

/** Tonight beside its baseline, the looks at it, and what looks can find. */
export function tonightBlocks({ decision, metric, power, gaps }: BenchmarkTrend): Block[] {
  const { baseline, looks } = decision;
  return [
    table(
      ['look', 'nights', metricLabels[metric], 'from the baseline', 'p', 'α'],
      [
        {
          label: 'baseline',
          cells: [count(baseline.nights), scoreText(baseline.score), '–', '–', '–'],
        },
        ...looks.map(({ name, nights, value, pValue, alpha }): Row => ({
          label: lookWords[name],
          cells: [
            count(nights),
            percent(value),
            points(value - baseline.score.value),
            scientific(pValue),
            scientific(alpha),
          ],
          ...(pValue <= alpha ? { kind: 'primary', note: 'beyond chance' } : {}),
        })),
      ],
    ),
    ...power.map(text),
    ...(gaps.length === 0 ? [] : [note(missedText(gaps))]),
  ];
}

/** The newest first; at most `most`. */
export function nightBlocks({ nights, metric }: BenchmarkTrend, most: number): Block[] {
  const shown = nights.toReversed().slice(0, most);
  return [
    table(
      ['night (UTC)', metricLabels[metric], 'samples', 'not graded', 'state', 'model'],
      shown.map(nightRow),
    ),
    ...(shown.length === nights.length
      ? []
      : [note(`The last ${most} of ${plural(nights.length, 'night')}; summary.json has all.`)]),
  ];
}

function nightRow(night: TrendNight): Row {
  const { at, score, unknown, state, model, isBaseline, isComparable } = night;
  const aside = isBaseline ? 'baseline' : isComparable ? null : 'not compared';
  return {
    label: minute(at),
    cells: [scoreText(score), count(score.n), count(unknown), { text: stateWords[state] }, { code: model }],
    ...(aside === null ? {} : { note: aside }),
  };
}

function missedText(gaps: BenchmarkTrend['gaps']): string {
  const all = gaps.reduce((sum, { nights }) => sum + nights, 0);
  const last = gaps
    .slice(-5)
    .map(({ nights, after, before }) => `${nights} between ${minute(after)} and ${minute(before)}`);
  return `Missed: ${plural(all, 'night')}; ${gaps.length > last.length ? 'last ' : ''}${last.join(', ')} (UTC).`;
}

function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}
