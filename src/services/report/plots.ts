/** The report's plots, as SVG that takes its colours from the page (light or dark). Rendered without a browser. */
import { View, parse } from 'vega';
import { compile, type Config, type TopLevelSpec } from 'vega-lite';
import type { ModelScores, Score, Summary } from '../../contract/summary.ts';
import { namedModels } from './headline.ts';
import { trusted, type Html } from './html.ts';
import { metricLabels } from './words.ts';

/** Custom properties of the page's style sheet. */
const ink = {
  text: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--line)',
  base: 'var(--base)',
  tuned: 'var(--tuned)',
};
const PLOT_WIDTH = 300;

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

async function toSvg(spec: TopLevelSpec): Promise<Html> {
  const view = new View(parse(compile({ config, ...spec }).spec), { renderer: 'none' });
  try {
    return trusted(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Colour and shape both tell the models apart, so neither sight of colour nor print is needed. */
const modelScale = { domain: ['base', 'tuned'], range: [ink.base, ink.tuned] };
const modelColour = {
  field: 'model',
  type: 'nominal',
  scale: modelScale,
  legend: { title: null, orient: 'top' },
} as const;
const modelShape = {
  field: 'model',
  type: 'nominal',
  scale: { domain: ['base', 'tuned'], range: ['circle', 'diamond'] },
  legend: { title: null, orient: 'top' },
} as const;
/** Room between the labels and a point at 0 %. */
const rowAxis = { grid: true, gridDash: [2, 3], domain: false, ticks: false, labelPadding: 12 };
const shareAxis = { scale: { domain: [0, 1] }, axis: { format: '.0%', tickCount: 5 } };

/** Shares with intervals: each metric, over everything, seen and held-out weaknesses. */
export async function intervalPlot(summary: Summary): Promise<Html> {
  const values = (['funcSec', 'secure', 'func'] as const).flatMap((metric) =>
    [
      { group: metricLabels[metric], of: (scores: ModelScores) => scores },
      { group: 'seen CWEs', of: (scores: ModelScores) => scores.seen },
      { group: 'held-out CWEs', of: (scores: ModelScores) => scores.heldOut },
    ].flatMap(({ group, of }) =>
      namedModels(summary).flatMap(([name, scores]) => {
        const score = of(scores)?.[metric];
        const model = name === 'tuned' ? 'tuned' : 'base';
        return score === undefined
          ? []
          : [{ row: `${metricLabels[metric]}|${group}`, model, ...bounds(score) }];
      }),
    ),
  );
  const y = {
    field: 'row',
    type: 'nominal' as const,
    title: null,
    sort: null,
    axis: { ...rowAxis, labelExpr: "split(datum.label, '|')[1]" },
  };
  const yOffset = { field: 'model', type: 'nominal' as const, sort: ['base', 'tuned'] };
  const x = { field: 'value', type: 'quantitative' as const, title: null, ...shareAxis };
  return await toSvg({
    data: { values },
    width: PLOT_WIDTH - 30,
    height: { step: 16 },
    encoding: { y, yOffset },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, color: modelColour },
      },
      {
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: { x, color: modelColour, shape: modelShape },
      },
    ],
  });
}

/** func-and-secure per weakness, before and after, in the order of the weaknesses. */
export async function cwePlot(summary: Summary): Promise<Html> {
  const values = namedModels(summary).flatMap(([name, scores]) =>
    scores.perCwe.map(({ cwe, seen, funcSec }) => ({
      cwe: seen === false ? `${cwe} ○` : cwe,
      model: name === 'tuned' ? 'tuned' : 'base',
      ...bounds(funcSec),
    })),
  );
  const y = { field: 'cwe', type: 'nominal' as const, title: null, sort: null, axis: rowAxis };
  return await toSvg({
    data: { values },
    width: PLOT_WIDTH,
    height: { step: 22 },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 3, opacity: 0.45 },
        encoding: {
          y,
          x: { field: 'value', type: 'quantitative', title: 'func-and-secure', ...shareAxis },
          detail: { field: 'cwe', type: 'nominal' },
          color: { value: ink.tuned },
        },
      },
      ...(['base', 'tuned'] as const).map((model) => ({
        transform: [{ filter: `datum.model === '${model}'` }],
        // Where both stand on the same spot, the smaller diamond shows on the circle.
        mark: { type: 'point' as const, filled: true, opacity: 1, size: model === 'base' ? 150 : 80 },
        encoding: {
          y,
          x: { field: 'value', type: 'quantitative' as const },
          color: modelColour,
          shape: modelShape,
        },
      })),
    ],
  });
}

/** Loss by step, with the loss on held-out traces before and after, and where a later attempt went on. */
export async function lossPlot({
  lossCurve,
  evalLossBefore,
  evalLossAfter,
  steps,
  resumedFromSteps,
}: NonNullable<Summary['training']>): Promise<Html> {
  const heldOut = [
    { step: 0, loss: evalLossBefore },
    { step: steps, loss: evalLossAfter },
  ].filter(({ loss }) => loss !== null);
  const colour = (
    series: string,
  ): { datum: string; type: 'nominal'; scale: object; legend: { title: null; orient: 'top' } } => ({
    datum: series,
    type: 'nominal',
    scale: { domain: ['training loss', 'loss on held-out traces'], range: [ink.base, ink.tuned] },
    legend: { title: null, orient: 'top' },
  });
  const x = {
    field: 'step',
    type: 'quantitative',
    title: 'step',
    axis: { grid: false, tickMinStep: 1, format: 'd' },
  } as const;
  const y = { field: 'loss', type: 'quantitative', title: 'loss', scale: { zero: true } } as const;
  return await toSvg({
    width: PLOT_WIDTH,
    height: 200,
    layer: [
      {
        data: { values: resumedFromSteps.map((step) => ({ step })) },
        mark: { type: 'rule', strokeDash: [4, 4], color: ink.muted },
        encoding: { x },
      },
      {
        data: { values: [...lossCurve] },
        mark: { type: 'line', strokeWidth: 2, point: lossCurve.length <= 40 ? { size: 24 } : false },
        encoding: { x, y, color: colour('training loss') },
      },
      {
        data: { values: heldOut },
        mark: { type: 'point', size: 90, shape: 'diamond', filled: true, opacity: 1 },
        encoding: { x, y, color: colour('loss on held-out traces') },
      },
    ],
  });
}

function bounds({ value, low, high }: Score): Pick<Score, 'value' | 'low' | 'high'> {
  return { value, low, high };
}
