/** Scores and differences as cells, and the columns that hold them. */
import type { Difference } from '../../../contract/summary.ts';
import type { Cell, Row } from '../blocks.ts';
import type { HeadlineRow, ScoreCell } from '../headline.ts';
import { differenceLabel, namedModels, type BenchmarkView } from '../view.ts';
import { intervalText, percent, points, pText } from '../words.ts';

export function scoreFigure(cell: ScoreCell | null): Cell {
  if (cell === null) return '–';
  return { value: percent(cell.score.value), below: [`${intervalText(cell.score)}${cell.exact ? '*' : ''}`] };
}

export function differenceFigure(difference: Difference | null): Cell {
  if (difference === null) return '';
  const { value, low, high, pValue } = difference;
  return { value: points(value), below: [`[${points(low)}, ${points(high)}]`, `p ${pText(pValue)}`] };
}

/** A column for each model, and one for the difference where there are two. */
export function modelColumns(view: BenchmarkView): string[] {
  return [
    ...namedModels(view).map(({ label }) => label),
    ...(view.models.tuned === undefined ? [] : [differenceLabel(view.labels)]),
  ];
}

export function scoreRow(view: BenchmarkView, row: HeadlineRow): Row {
  const paired = view.models.tuned !== undefined;
  return {
    label: row.label,
    ...(row.primary && { kind: 'primary' }),
    cells: [
      scoreFigure(row.base),
      ...(paired ? [scoreFigure(row.tuned), differenceFigure(row.difference)] : []),
    ],
  };
}

export function count(value: number): string {
  return value.toLocaleString('en');
}
