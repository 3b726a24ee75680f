/** Loss by step, with the loss on held-out traces before and after, and where a later attempt went on. */
import type { TrainingSummary } from '../../../contract/summary.ts';
import type { Html } from '../html.ts';
import { ink, PLOT_WIDTH, toSvg } from './svg.ts';

export async function lossPlot({
  lossCurve,
  evalLossBefore,
  evalLossAfter,
  steps,
  resumedFromSteps,
}: TrainingSummary): Promise<Html> {
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
