/** Shares by night, with the baseline as a band, nights that stand out, and nights that were missed. */
import type { BenchmarkTrend, TrendNight } from '../../../contract/trend.ts';
import type { Html } from '../html.ts';
import { metricLabels } from '../words.ts';
import { bounds, ink, shareAxis, toSvg } from './svg.ts';

const WIDTH = 640;
const kinds = {
  baseline: { colour: ink.base, shape: 'square' },
  'as the baseline': { colour: ink.tuned, shape: 'circle' },
  lower: { colour: ink.bad, shape: 'triangle-down' },
  higher: { colour: ink.good, shape: 'triangle-up' },
  'not compared': { colour: ink.muted, shape: 'cross' },
} as const;
type Kind = keyof typeof kinds;

export async function trendPlot({ nights, decision, gaps, metric }: BenchmarkTrend): Promise<Html> {
  const values = nights.map((night) => ({
    time: Date.parse(night.scheduledAt),
    kind: kindOf(night),
    ...bounds(night.score),
  }));
  const compared = values.filter(({ kind }) => kind !== 'not compared');
  const times = compared.map(({ time }) => time);
  const { low, high, value } = decision.baseline.score;
  const band = [{ from: Math.min(...times), to: Math.max(...times), low, high, value }];
  const missed = gaps.map(({ after, before }) => ({ from: Date.parse(after), to: Date.parse(before) }));
  const seen = Object.keys(kinds).filter((name): name is Kind => values.some(({ kind }) => kind === name));
  const x = {
    field: 'time',
    type: 'temporal' as const,
    title: null,
    scale: { type: 'utc' as const },
    axis: { grid: false, tickCount: 6, labelOverlap: true, format: spanOf(values) },
  };
  const y = { field: 'value', type: 'quantitative' as const, title: metricLabels[metric], ...shareAxis };
  const of = <Range extends string>(range: (kind: Kind) => Range) => ({
    field: 'kind',
    type: 'nominal' as const,
    scale: { domain: seen, range: seen.map(range) },
    legend: { title: null, orient: 'top' as const },
  });
  const colour = of((kind) => kinds[kind].colour);
  const across = { x: { ...x, field: 'from' }, x2: { field: 'to' } };
  return await toSvg({
    width: WIDTH,
    height: 240,
    layer: [
      {
        data: { values: missed },
        mark: { type: 'rect', color: ink.muted, opacity: 0.18 },
        encoding: across,
      },
      {
        data: { values: band },
        mark: { type: 'rect', color: ink.base, opacity: 0.22 },
        encoding: { ...across, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: band },
        mark: { type: 'rule', color: ink.base, strokeDash: [4, 4] },
        encoding: { ...across, y },
      },
      {
        data: { values: compared },
        mark: { type: 'line', color: ink.muted, strokeWidth: 1 },
        encoding: { x, y },
      },
      {
        data: { values },
        mark: { type: 'rule', strokeWidth: 1.5 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: colour },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: values.length > 60 ? 36 : 80, opacity: 1 },
        encoding: { x, y, color: colour, shape: of((kind) => kinds[kind].shape) },
      },
    ],
  });
}

function kindOf({ isComparable, isBaseline, state }: TrendNight): Kind {
  if (!isComparable) return 'not compared';
  if (isBaseline) return 'baseline';
  if (state === 'regression' || state === 'drift') return 'lower';
  return state === 'improved' ? 'higher' : 'as the baseline';
}

/** Days where nights are days apart, minutes where a test runs them in a row. */
function spanOf(values: readonly { readonly time: number }[]): string {
  const times = values.map(({ time }) => time);
  const span = Math.max(...times) - Math.min(...times);
  return span > 2 * 86_400_000 ? '%d %b %Y' : '%d %b %H:%M:%S';
}
