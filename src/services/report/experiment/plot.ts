/** The tuned models of all variants side by side, with their intervals. */
import type { ExperimentSummary } from '../../../contract/experimentSummary.ts';
import type { Html } from '../html.ts';
import { visibleLine } from '../visible.ts';
import { bounds, ink, PLOT_WIDTH, rowAxis, shareAxis, toSvg } from '../plots/svg.ts';

/** Null where no variant was evaluated on it. */
export async function variantPlot(
  { variants, reference }: ExperimentSummary,
  benchmark: string,
): Promise<Html | null> {
  const values = variants.flatMap(({ name, benchmarks }) => {
    const found = benchmarks.find((one) => one.name === benchmark);
    const kind = name === reference ? 'reference' : 'variant';
    return found === undefined ? [] : [{ variant: visibleLine(name), kind, ...bounds(found.tuned) }];
  });
  if (values.length === 0) return null;
  const y = { field: 'variant', type: 'nominal' as const, title: null, sort: null, axis: rowAxis };
  const x = { field: 'value', type: 'quantitative' as const, title: null, ...shareAxis };
  const kinds = ['reference', 'variant'];
  const marks = { field: 'kind', type: 'nominal' as const, legend: { title: null, orient: 'top' as const } };
  const colour = { ...marks, scale: { domain: kinds, range: [ink.base, ink.tuned] } };
  return await toSvg({
    data: { values },
    width: PLOT_WIDTH,
    height: { step: 22 },
    encoding: { y },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, color: colour },
      },
      {
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          x,
          color: colour,
          shape: { ...marks, scale: { domain: kinds, range: ['circle', 'diamond'] } },
        },
      },
    ],
  });
}
