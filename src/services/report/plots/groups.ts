/** A share before and after, a line for each group of tasks. */
import type { GroupScores } from '../../../contract/summary.ts';
import type { Html } from '../html.ts';
import { namedModels, primaryMetric, type BenchmarkView, type NamedModel } from '../view.ts';
import { visibleLine } from '../visible.ts';
import { metricLabels } from '../words.ts';
import { bounds, ink, modelMarks, modelName, PLOT_WIDTH, rowAxis, shareAxis, toSvg } from './svg.ts';

export interface PlottedGroup {
  readonly name: string;
  readonly scores: GroupScores;
}

/** `groupsOf` gives each model's groups, those of the first model in the order of the plot. */
export async function groupPlot(
  view: BenchmarkView,
  groupsOf: (model: NamedModel) => readonly PlottedGroup[],
): Promise<Html> {
  const { colour, shape } = modelMarks(view);
  const metric = primaryMetric(view);
  const models = namedModels(view);
  const values = models.flatMap((model) =>
    groupsOf(model).map(({ name, scores }) => ({
      group: visibleLine(name),
      key: model.key,
      model: modelName(view, model.key),
      ...bounds(scores[metric]),
    })),
  );
  const y = { field: 'group', type: 'nominal' as const, title: null, sort: null, axis: rowAxis };
  return await toSvg({
    data: { values },
    width: PLOT_WIDTH,
    height: { step: 22 },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 3, opacity: 0.45 },
        encoding: {
          y,
          x: { field: 'value', type: 'quantitative', title: metricLabels[metric], ...shareAxis },
          detail: { field: 'group', type: 'nominal' },
          color: { value: ink.tuned },
        },
      },
      ...models.map(({ key }) => ({
        transform: [{ filter: `datum.key === '${key}'` }],
        // Where both stand on the same spot, the smaller diamond shows on the circle.
        mark: { type: 'point' as const, filled: true, opacity: 1, size: key === 'base' ? 150 : 80 },
        encoding: {
          y,
          x: { field: 'value', type: 'quantitative' as const },
          color: colour,
          shape,
        },
      })),
    ],
  });
}
