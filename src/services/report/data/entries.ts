/** What the data stages made of each row: the parts of filter and traces artefacts, read as one kind of entry. */
import { z } from 'zod';
import type { Manifest } from '../../../contract/manifest.ts';
import type { Part } from '../../../contract/refs.ts';
import {
  deadLetterSchema,
  excludedRowSchema,
  filteredRowSchema,
  rejectedTraceSchema,
  traceRowSchema,
  type DeadLetter,
  type ExcludedRow,
  type FilteredRow,
  type RejectedTrace,
  type TraceRow,
} from '../../../contract/rows.ts';
import { readRows, type RowRange, type Store } from '../../store/index.ts';
import type { DataKind } from './kinds.ts';

export interface EntryText {
  readonly title: string;
  readonly text: string;
}

export interface EntryFacts {
  /** Of the row in its dataset. */
  readonly index: number;
  /** Empty where a bad row has none. */
  readonly id: string;
  /** Which answer of the teacher; null where no answer is told about. */
  readonly sample: number | null;
  readonly language: string | null;
  readonly cwes: readonly string[];
  /** A code for what was excluded or rejected, a sentence for the other verdicts; null for an accepted trace. */
  readonly reason: string | null;
  readonly detail: string | null;
  readonly texts: readonly EntryText[];
}

export interface DataEntry extends EntryFacts {
  readonly kind: DataKind;
  readonly stage: DataStage;
  /** As the artefact has it. */
  readonly row: object;
}

export type DataStage = 'filter' | 'distil';

/** Rows of one kind of one artefact. */
export interface EntrySource {
  readonly kind: DataKind;
  readonly stage: DataStage;
  readonly parts: readonly Part[];
}

/** Kinds of artefact that hold rows to look at. A dataset's are told under the filter, which hands them on. */
export const dataArtefacts = ['dataset', 'filter', 'traces'] as const;
export type DataArtefactKind = (typeof dataArtefacts)[number];

const outputs: Readonly<Record<DataArtefactKind, readonly (readonly [DataKind, string])[]>> = {
  dataset: [
    ['excluded', 'excluded'],
    ['dead', 'deadLetter'],
  ],
  filter: [
    ['kept', 'kept'],
    ['dropped', 'dropped'],
    ['excluded', 'excluded'],
    ['dead', 'deadLetter'],
    ['review', 'review'],
  ],
  traces: [
    ['accepted', 'pairs'],
    ['rejected', 'rejected'],
    ['dead', 'deadLetter'],
  ],
};

/** The sources of an artefact, without the empty ones. */
export function sourcesOf(kind: DataArtefactKind, parts: Manifest['parts']): EntrySource[] {
  return outputs[kind].flatMap(([entry, output]) => {
    const found = parts[output] ?? [];
    const stage = kind === 'traces' ? 'distil' : 'filter';
    return found.length === 0 ? [] : [{ kind: entry, stage, parts: found }];
  });
}

export function rowsIn({ parts }: Pick<EntrySource, 'parts'>): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0);
}

/** In the order of the artefact; memory holds one row. BLOB_MISSING, BLOB_CORRUPT. */
export function readEntries(
  { blobs }: Pick<Store, 'blobs'>,
  source: EntrySource,
  range: RowRange = {},
): AsyncGenerator<DataEntry> {
  async function* read<Row extends object>(
    schema: z.ZodType<Row>,
    factsOf: (row: Row) => EntryFacts,
  ): AsyncGenerator<DataEntry> {
    const { kind, stage, parts } = source;
    for await (const row of readRows(blobs, parts, range, schema))
      yield { kind, stage, ...factsOf(row), row };
  }
  switch (source.kind) {
    case 'kept':
    case 'dropped':
      return read(filteredRowSchema, factsOfTask);
    case 'review':
      return read(reviewRowSchema, (row) => ({
        ...factsOfTask(row),
        detail: row.kept ? 'the classifier kept it' : 'the classifier dropped it',
      }));
    case 'excluded':
      return read(excludedRowSchema, factsOfExcluded);
    case 'dead':
      return read(deadLetterSchema, factsOfDead);
    case 'accepted':
      return read(traceRowSchema, factsOfTrace);
    case 'rejected':
      return read(rejectedTraceSchema, factsOfRejection);
  }
}

const reviewRowSchema = filteredRowSchema.extend({ kept: z.boolean() });

function factsOfTask({ index, id, language, cwes, reason, task, tests }: FilteredRow): EntryFacts {
  return {
    index,
    id,
    sample: null,
    language,
    cwes,
    reason,
    detail: null,
    texts: [
      { title: 'Task', text: task },
      ...(tests === null ? [] : [{ title: 'Tests of its own', text: tests }]),
    ],
  };
}

function factsOfExcluded({ index, id, reason, detail, excerpt }: ExcludedRow): EntryFacts {
  const texts = [{ title: 'Start of the task', text: excerpt }];
  return { index, id, sample: null, language: null, cwes: [], reason, detail, texts };
}

function factsOfDead({ index, id, reason, excerpt }: DeadLetter): EntryFacts {
  const texts = [{ title: 'Start of the input', text: excerpt }];
  return { index, id: id ?? '', sample: null, language: null, cwes: [], reason, detail: null, texts };
}

function factsOfTrace(row: TraceRow): EntryFacts {
  const { index, id, sample, language, cwes, prompt, reasoning, answer } = row;
  return {
    index,
    id,
    sample,
    language,
    cwes,
    reason: null,
    detail: null,
    texts: [
      ...prompt.map(({ role, content }) => ({ title: `Prompt (${role})`, text: content })),
      { title: 'Reasoning', text: reasoning },
      { title: 'Answer', text: answer },
    ],
  };
}

function factsOfRejection(row: RejectedTrace): EntryFacts {
  const { index, id, sample, language, cwes, reason, detail, excerpt } = row;
  const texts = [{ title: 'Start of the answer', text: excerpt }];
  return { index, id, sample, language, cwes, reason, detail, texts };
}
