/** Time and money by stage, side by side. */
import type { StageSummary } from '../../../contract/summary.ts';
import type { Html } from '../html.ts';
import { visibleLine } from '../visible.ts';
import { duration, usd } from '../words.ts';
import { ink, rowAxis, toSvg } from './svg.ts';

const BAR_WIDTH = 170;

/** Both columns, or time alone where nothing was paid. */
export async function stagePlot(stages: readonly StageSummary[]): Promise<Html> {
  const values = stages.map(({ name, seconds, costUsd, reused }, i) => ({
    // Two stages of one name stay two bars.
    stage: `${i}|${visibleLine(name)}${reused ? ' (reused)' : ''}`,
    seconds: reused ? 0 : seconds,
    secondsText: reused ? 'reused' : duration(seconds),
    costUsd,
    costText: usd(costUsd),
  }));
  const isPaid = stages.some(({ costUsd }) => costUsd > 0);
  const bars = (field: 'seconds' | 'costUsd', label: string, title: string, withNames: boolean) => {
    const y = {
      field: 'stage',
      type: 'nominal' as const,
      title: null,
      sort: null,
      axis: {
        ...rowAxis,
        grid: false,
        labels: withNames,
        labelExpr: "replace(datum.label, /^\\d+\\|/, '')",
      },
    };
    const x = {
      field,
      type: 'quantitative' as const,
      title,
      scale: { domainMin: 0, nice: true },
      axis: { labels: false, ticks: false, domain: false, grid: false },
    };
    return {
      width: BAR_WIDTH,
      height: { step: 24 },
      layer: [
        { mark: { type: 'bar' as const, height: 12, color: ink.base }, encoding: { x, y } },
        {
          mark: {
            type: 'text' as const,
            align: 'left' as const,
            dx: 5,
            fontSize: 12,
            color: ink.text,
            clip: false,
          },
          encoding: { x, y, text: { field: label, type: 'nominal' as const } },
        },
      ],
    };
  };
  return await toSvg({
    data: { values },
    spacing: 75,
    hconcat: [
      bars('seconds', 'secondsText', 'time', true),
      ...(isPaid ? [bars('costUsd', 'costText', 'cost', false)] : []),
    ],
  });
}
