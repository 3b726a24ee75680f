/** The rows of a dataset whose task was in none of some others. */
import type { TaskRow } from '../../contract/rows.ts';
import { createHashSet } from '../dataset/hashSet.ts';

/** Texts that are equal but for case, blanks and line ends are one task: `taskSha256` is of the normalised text. */
export async function hashesOf(
  rows: AsyncIterable<Pick<TaskRow, 'taskSha256'>>,
): Promise<(hex: string) => boolean> {
  const known = createHashSet();
  for await (const { taskSha256 } of rows) known.add(taskSha256);
  // A set that only grows: what it takes was not there.
  return (hex) => !known.add(hex);
}

/**
 * Keeps the order. Indexes and groups are those of the rows that are left, as if the dataset had held no others: a group
 * is named after its first row.
 */
export async function* newRows(
  rows: AsyncIterable<TaskRow>,
  isSeen: (taskSha256: string) => boolean,
): AsyncGenerator<TaskRow> {
  const groups = new Map<number, number>();
  let index = 0;
  for await (const row of rows) {
    if (isSeen(row.taskSha256)) continue;
    const group = groups.get(row.group) ?? index;
    groups.set(row.group, group);
    yield { ...row, index, group };
    index += 1;
  }
}
