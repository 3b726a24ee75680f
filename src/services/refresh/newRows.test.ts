import { expect, it } from 'vitest';
import type { TaskRow } from '../../contract/rows.ts';
import { sha256Hex } from '../store/index.ts';
import { hashesOf, newRows } from './newRows.ts';

const row = (index: number, text: string, group = index): TaskRow => ({
  index,
  id: `t${index}`,
  task: text,
  language: null,
  taskSha256: sha256Hex(text),
  group,
  tests: null,
});

async function* of(...rows: TaskRow[]): AsyncGenerator<TaskRow> {
  yield* rows;
}

const left = async (all: TaskRow[], seen: TaskRow[]): Promise<TaskRow[]> =>
  await Array.fromAsync(newRows(of(...all), await hashesOf(of(...seen))));

it('keeps what is new, in order, with indexes and groups of its own', async () => {
  const all = [row(0, 'a'), row(1, 'b'), row(2, 'b like', 1), row(3, 'c'), row(4, 'c like', 3)];
  expect(
    (await left(all, [row(9, 'a'), row(10, 'b')])).map(({ id, index, group }) => [id, index, group]),
  ).toEqual([
    ['t2', 0, 0],
    ['t3', 1, 1],
    ['t4', 2, 1],
  ]);
});

it('keeps everything where nothing was seen, and nothing where all was', async () => {
  const all = [row(0, 'a'), row(1, 'b')];
  expect(await left(all, [])).toEqual(all);
  expect(await left(all, all)).toEqual([]);
});
