/** Plots as SVG that takes its colours from the page (light or dark). Rendered without a browser. */
import type { Config, TopLevelSpec } from 'vega-lite';
import type { Score } from '../../../contract/summary.ts';
import { trusted, type Html } from '../html.ts';
import { namedModels, type BenchmarkView, type ModelKey } from '../view.ts';
import { visibleLine } from '../visible.ts';

/** Custom properties of the page's style sheet. */
export const ink = {
  text: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--line)',
  base: 'var(--base)',
  tuned: 'var(--tuned)',
  good: 'var(--good)',
  bad: 'var(--bad)',
};
export const PLOT_WIDTH = 300;
const MAX_NAME = 20;

const config: Config = {
  background: 'transparent',
  // The tables say the same numbers; hundreds of labelled marks would only hold up a screen reader.
  aria: false,
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: ink.text,
    titleColor: ink.muted,
    gridColor: ink.grid,
    domainColor: ink.muted,
    tickColor: ink.muted,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 0,
  },
  header: { labelColor: ink.muted, labelFontSize: 12, labelFontWeight: 'bold' },
  legend: { labelColor: ink.text, labelFontSize: 12, labelLimit: 0, symbolSize: 90, symbolStrokeWidth: 2 },
};

export async function toSvg(spec: TopLevelSpec): Promise<Html> {
  // Loaded by the first plot: a command that draws none starts without these hundreds of files.
  const [{ View, parse }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile({ config, ...spec }).spec), { renderer: 'none' });
  try {
    return trusted(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Room between the labels and a point at 0 %. */
export const rowAxis = { grid: true, gridDash: [2, 3], domain: false, ticks: false, labelPadding: 12 };
export const shareAxis = { scale: { domain: [0, 1] }, axis: { format: '.0%', tickCount: 5 } };

/** Colour and shape both tell the models apart, so neither sight of colour nor print is needed. */
export function modelMarks(view: BenchmarkView) {
  const names = namedModels(view).map(({ key }) => modelName(view, key));
  const of = <Range extends string>(range: readonly Range[]) => ({
    field: 'model',
    type: 'nominal' as const,
    scale: { domain: names, range: range.slice(0, names.length) },
    legend: { title: null, orient: 'top' as const },
  });
  return { names, colour: of([ink.base, ink.tuned]), shape: of(['circle', 'diamond']) };
}

/** The name of a model as the plot's data and its legend have it: the end of a long one tells more than its beginning. */
export function modelName({ labels }: BenchmarkView, key: ModelKey): string {
  const name = visibleLine(labels[key]);
  return name.length <= MAX_NAME ? name : `${key} …${name.slice(-MAX_NAME)}`;
}

export function bounds({ value, low, high }: Score): Pick<Score, 'value' | 'low' | 'high'> {
  return { value, low, high };
}
