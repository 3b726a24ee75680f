import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceRow } from '../../contract/rows.ts';
import { datasetCard, type DatasetAbout } from './datasetCard.ts';
import { exportDataset } from './exportDataset.ts';

const about: DatasetAbout = {
  name: 'traces: "of" a run',
  fingerprint: 'f'.repeat(64),
  contentSha256: 'c'.repeat(64),
  createdAt: '2026-11-21T00:00:00.000Z',
  teacher: { model: 'owner/teacher', revision: 'r1' },
  classifier: { model: 'owner/classifier', revision: 'r2' },
  judge: null,
  promptVersion: 'distil-1',
  keepPromptInPair: false,
  sources: [{ name: 'records | ours', license: 'Apache-2.0' }],
  tasks: 9,
  rejections: { testsFail: 2, truncated: 5 },
  oracles: ['it parses', 'bandit'],
};

const row = (index: number): TraceRow => ({
  index,
  id: `row-${index}`,
  prompt: [{ role: 'user', content: `Write f${index}(x). “Ünïcode”\n` }],
  reasoning: 'I think.',
  answer: '```python\nx = 1\n```',
  language: index % 3 === 0 ? null : 'python',
  cwes: index % 2 === 0 ? [] : ['CWE-22', 'CWE-78'],
  group: index,
  sample: 0,
});
async function* rowsTo(count: number): AsyncGenerator<TraceRow> {
  for (let index = 0; index < count; index += 1) yield row(index);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secpi-export-'));
});
afterAll(async () => await rm(folder, { recursive: true }));

const readFileRows = async (path: string): Promise<Record<string, unknown>[]> =>
  await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, path)) });

describe('exportDataset', () => {
  it('writes files that read back as the rows, in order', async () => {
    const files = await exportDataset({
      rows: rowsTo(1203),
      rowCount: 1203,
      about,
      folder,
      rowsPerFile: 600,
    });
    expect(files.map(({ path }) => path)).toEqual([
      'README.md',
      'data/train-00000-of-00003.parquet',
      'data/train-00001-of-00003.parquet',
      'data/train-00002-of-00003.parquet',
    ]);
    expect(files.every(({ bytes }) => bytes > 100)).toBe(true);
    const read = (await Promise.all(files.slice(1).map(({ path }) => readFileRows(path)))).flat();
    expect(read.length).toBe(1203);
    expect(read.map(({ index }) => index)).toEqual(Array.from({ length: 1203 }, (_, index) => index));
    const { prompt, reasoning, answer, id, language, cwes, group } = row(601);
    const reply = { role: 'assistant', content: `<think>\n${reasoning}\n</think>\n\n${answer}` };
    expect(read[601]).toEqual({
      index: 601,
      id,
      prompt,
      reasoning,
      answer,
      messages: [...prompt, reply],
      language,
      cwes,
      group,
    });
    expect(read[600]).toMatchObject({ language: null, cwes: [] });
    const first = await asyncBufferFromFile(join(folder, 'data/train-00000-of-00003.parquet'));
    const { row_groups: groups } = await parquetMetadataAsync(first);
    expect(groups.map(({ num_rows: rows }) => Number(rows))).toEqual([500, 100]);
  });

  it('refuses another number of rows than announced', async () => {
    const given = { about, folder, rowsPerFile: 2 };
    await expect(exportDataset({ ...given, rows: rowsTo(3), rowCount: 4 })).rejects.toThrow(
      '4 rows were announced',
    );
    await expect(exportDataset({ ...given, rows: rowsTo(5), rowCount: 4 })).rejects.toThrow('or more came');
  });

  it('describes what is in it', async () => {
    await exportDataset({ rows: rowsTo(4), rowCount: 4, about, folder });
    const card = await readFile(join(folder, 'README.md'), 'utf8');
    for (const line of [
      'license: apache-2.0',
      'pretty_name: "traces: \\"of\\" a run"',
      '- n<1K',
      '    path: data/train-*.parquet',
      '| python | 2 |',
      '| unknown | 2 |',
      '| CWE-22 | 2 |',
      '| truncated | 5 |',
      '| records \\| ours | Apache-2.0 |',
      '| filter | `owner/classifier` (revision `r2`) |',
      `| fingerprint | \`${'f'.repeat(64)}\` |`,
    ])
      expect(card.split('\n')).toContain(line);
    expect(card).toContain('Kept of 9 tasks; 7 answers were rejected.');
    expect(card).toContain('without any security text');
  });
});

describe('datasetCard', () => {
  const tally = { rows: 1_000_000, languages: new Map([['c++', 1]]), cwes: new Map() };
  it('names several or unknown licences as the hub wants them', () => {
    const sources = [
      { name: 'a', license: 'MIT' },
      { name: 'b', license: 'Own: "terms"' },
    ];
    const card = datasetCard({ ...about, sources, keepPromptInPair: true, classifier: null }, tally);
    expect(card).toContain('license: other\nlicense_name: "mit and own: \\"terms\\""\n');
    expect(card).toContain('- "c++"');
    expect(card).toContain('- 1M<n<10M');
    expect(card).toContain('security text included (an ablation)');
    expect(card).toContain('none (every task was kept)');
  });
});
