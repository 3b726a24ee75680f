/** Shares with intervals: each measure, over everything, seen and held-out weaknesses. */
import type { ModelScores } from '../../../contract/summary.ts';
import type { Html } from '../html.ts';
import { metricsOf, namedModels, type BenchmarkView } from '../view.ts';
import { metricLabels } from '../words.ts';
import { bounds, modelMarks, modelName, PLOT_WIDTH, rowAxis, shareAxis, toSvg } from './svg.ts';

export async function intervalPlot(view: BenchmarkView): Promise<Html> {
  const { names, colour, shape } = modelMarks(view);
  const values = metricsOf(view)
    .toReversed()
    .flatMap((metric) =>
      [
        { group: metricLabels[metric], of: (scores: ModelScores) => scores },
        { group: 'seen CWEs', of: (scores: ModelScores) => scores.seen },
        { group: 'held-out CWEs', of: (scores: ModelScores) => scores.heldOut },
      ].flatMap(({ group, of }) =>
        namedModels(view).flatMap(({ key, scores }) => {
          const score = of(scores)?.[metric];
          return score === undefined
            ? []
            : [{ row: `${metricLabels[metric]}|${group}`, model: modelName(view, key), ...bounds(score) }];
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
  const yOffset = { field: 'model', type: 'nominal' as const, sort: names };
  const x = { field: 'value', type: 'quantitative' as const, title: null, ...shareAxis };
  return await toSvg({
    data: { values },
    width: PLOT_WIDTH - 30,
    height: { step: 16 },
    encoding: { y, yOffset },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, color: colour },
      },
      {
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: { x, color: colour, shape },
      },
    ],
  });
}
