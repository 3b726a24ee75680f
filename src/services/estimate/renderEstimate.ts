/** An estimate as a table for a terminal: no colours, no control characters. Pure. */
import type { Estimate, StageEstimate } from '../../contract/workflows.ts';

const HEADER = [
  'stage',
  'model',
  'rows',
  'known',
  'sampled',
  'to ask',
  'tokens in',
  'tokens out',
  'USD',
  'low – high',
  'at most',
];

export function renderEstimate(estimate: Estimate): string {
  const { stages, costUsd, lowUsd, highUsd, paidUsd, seconds, notes } = estimate;
  const prices = stages.map(({ stage, price }) => `price of ${stage}: ${printable(price)}`);
  return [
    ...align([HEADER, ...stages.map(lineOf)]),
    '',
    `The run will pay about ${usd(costUsd)} (95 %: ${usd(lowUsd)} to ${usd(highUsd)}), in about ${duration(seconds)} of asking on one worker.`,
    `This estimate paid ${usd(paidUsd)}; the run does not pay its answers again. Together: about ${usd(costUsd + paidUsd)}.`,
    ...prices,
    ...notes.map((note) => `note: ${printable(note)}`),
  ].join('\n');
}

function lineOf(stage: StageEstimate): string[] {
  return [
    stage.stage,
    printable(stage.model),
    count(stage.rows),
    count(stage.known),
    count(stage.sampled),
    count(stage.requests),
    count(stage.promptTokens),
    count(stage.completionTokens),
    usd(stage.costUsd),
    `${usd(stage.lowUsd)} – ${usd(stage.highUsd)}`,
    usd(stage.worstUsd),
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Cents from ten cents up, more digits below. */
function usd(value: number): string {
  return `$${value.toFixed(value === 0 || value >= 0.1 ? 2 : 6)}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Names are a recipe's and may hold anything. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, ' ');
}

/** Text to the left, numbers to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return column < 2 ? text.padEnd(width) : text.padStart(width);
      })
      .join('  '),
  );
}
