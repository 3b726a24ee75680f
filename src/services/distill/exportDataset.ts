/**
 * The pairs as a dataset folder in Hugging Face style: Parquet files that `datasets` and TRL read as conversations, and
 * a card that says what is in it and how it came about.
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import type { ChatMessage, TraceRow } from '../../contract/rows.ts';
import { datasetCard, type DatasetAbout } from './datasetCard.ts';

const ROWS_PER_FILE = 50_000;
/** What is in memory at a time. */
const ROWS_PER_GROUP = 500;

export interface ExportRequest {
  /** In index order. */
  readonly rows: AsyncIterable<TraceRow>;
  /** How many there are: the files' names tell their number. */
  readonly rowCount: number;
  readonly about: DatasetAbout;
  /** Made where it is not there. */
  readonly folder: string;
  /** Default 50,000. */
  readonly rowsPerFile?: number;
}

export interface ExportedFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

/** Equal rows and an equal card give equal bytes. Throws when there are more or fewer rows than announced. */
export async function exportDataset(request: ExportRequest): Promise<ExportedFile[]> {
  const { rows, rowCount, about, folder, rowsPerFile = ROWS_PER_FILE } = request;
  await mkdir(join(folder, 'data'), { recursive: true });
  const tally = { rows: 0, languages: new Map<string, number>(), cwes: new Map<string, number>() };
  const counted = (async function* () {
    for await (const row of rows) {
      tally.rows += 1;
      count(tally.languages, row.language ?? 'unknown');
      for (const cwe of row.cwes) count(tally.cwes, cwe);
      yield row;
    }
  })();
  const files = Math.max(1, Math.ceil(rowCount / rowsPerFile));
  const paths: string[] = [];
  for (let file = 0; file < files; file += 1) {
    const path = `data/train-${digits(file)}-of-${digits(files)}.parquet`;
    await writeParquet(join(folder, path), records(counted, rowsPerFile));
    paths.push(path);
  }
  const extra = await counted.next();
  if (tally.rows !== rowCount || extra.done !== true)
    throw new Error(
      `${rowCount} rows were announced and ${tally.rows}${extra.done === true ? '' : ' or more'} came`,
    );
  await writeFile(join(folder, 'README.md'), datasetCard(about, tally));
  return await Promise.all(
    ['README.md', ...paths].map(async (path) => ({ path, bytes: (await stat(join(folder, path))).size })),
  );
}

/** At most `limit` rows; the rest stays in the source, which `for await` would close. */
async function* records(
  rows: AsyncIterator<TraceRow>,
  limit: number,
): AsyncGenerator<Record<string, unknown>> {
  for (let taken = 0; taken < limit; taken += 1) {
    const next = await rows.next();
    if (next.done === true) return;
    yield recordOf(next.value);
  }
}

function recordOf({ index, id, prompt, reasoning, answer, language, cwes, group }: TraceRow) {
  const reply: ChatMessage = { role: 'assistant', content: `<think>\n${reasoning}\n</think>\n\n${answer}` };
  return {
    index,
    id,
    prompt: prompt.map(plain),
    reasoning,
    answer,
    messages: [...prompt, reply].map(plain),
    language,
    cwes: [...cwes],
    group,
  };
}

function plain({ role, content }: ChatMessage): ChatMessage {
  return { role, content };
}

const text = (name: string, nullable = false): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
});
/** The three levels of the Parquet format's LIST, as Arrow writes them. */
const list = (name: string, element: readonly SchemaElement[]): SchemaElement[] => [
  { name, converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
];
const integer = (name: string): SchemaElement => ({ name, type: 'INT32', repetition_type: 'REQUIRED' });
const message: readonly SchemaElement[] = [
  { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
  text('role'),
  text('content'),
];
const COLUMNS: readonly (readonly SchemaElement[])[] = [
  [integer('index')],
  [text('id')],
  list('prompt', message),
  [text('reasoning')],
  [text('answer')],
  list('messages', message),
  [text('language', true)],
  list('cwes', [text('element')]),
  [integer('group')],
];

async function writeParquet(path: string, rows: AsyncIterable<Record<string, unknown>>): Promise<void> {
  await parquetWriteRows({
    writer: fileWriter(path),
    rows,
    columns: COLUMNS.map(([head]) => ({ name: head?.name ?? '' })),
    schema: [{ name: 'schema', num_children: COLUMNS.length }, ...COLUMNS.flat()],
    rowGroupSize: ROWS_PER_GROUP,
    createdBy: 'secpi',
  });
}

function digits(file: number): string {
  return String(file).padStart(5, '0');
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
