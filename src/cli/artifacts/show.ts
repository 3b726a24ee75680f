/** Artefacts, their lineage and a garbage collection for a terminal. Pure. */
import type { LineageNode, ListedArtifact, Verified } from '../../services/artifacts/index.ts';
import type { Amount, Collection } from '../../services/store/index.ts';
import { columns } from '../columns.ts';
import { inLine } from '../traces/show.ts';

/** Names of blobs that are shown one by one. */
const SHOWN = 20;

export function showArtifacts(artifacts: readonly ListedArtifact[]): string {
  if (artifacts.length === 0) return 'The store holds no artefact of this kind yet.';
  const lines = artifacts.map(({ kind, state, rows, bytes, at, workflowId, uri }) =>
    [
      kind,
      state,
      rows === null ? '-' : String(rows),
      bytes === null ? '-' : sizeOf(bytes),
      at?.slice(0, 19).replace('T', ' ') ?? '-',
      workflowId ?? '-',
      uri,
    ].map(inLine),
  );
  return columns([['kind', 'state', 'rows', 'size', 'since (UTC)', 'run', 'uri'], ...lines]);
}

/** The artefact, and below each line what it was made of. */
export function showLineage(root: LineageNode): string {
  return [...linesOf(root, '', '')].join('\n');
}

function* linesOf(node: LineageNode, lead: string, below: string): Generator<string> {
  const { as, uri, made, isRepeated, inputs } = node;
  const role = as === '' ? '' : `${inLine(as)}: `;
  yield `${lead}${role}${made === null ? inLine(uri) : `${made.kind}  ${inLine(uri)}`}`;
  if (isRepeated) {
    yield `${below}  (as above)`;
    return;
  }
  const stem = inputs.length > 0 ? '│ ' : '  ';
  if (made !== null) {
    const { about, rows, bytes, license, createdAt, workflowId, epoch, costUsd } = made;
    const facts = [
      ...(about === null ? [] : [inLine(about)]),
      `${rows} rows`,
      sizeOf(bytes),
      ...(license === null ? [] : [`licence ${inLine(license)}`]),
      ...(costUsd === 0 ? [] : [`$${costUsd.toFixed(4)}`]),
    ];
    yield `${below}${stem}${facts.join(', ')}`;
    yield `${below}${stem}made ${createdAt} by ${inLine(workflowId)}${epoch > 1 ? `, epoch ${epoch}` : ''}`;
  }
  for (const [index, input] of inputs.entries()) {
    const isLast = index === inputs.length - 1;
    yield* linesOf(input, `${below}${isLast ? '└─' : '├─'}`, `${below}${isLast ? '  ' : '│ '}`);
  }
}

export function showVerified({ uri, blobs, bytes, problems }: Verified): string {
  const state = problems.length === 0 ? 'whole  ' : 'DAMAGED';
  return [
    `${state}  ${inLine(uri)}  (${blobs} blobs, ${sizeOf(bytes)})`,
    ...problems.map((problem) => `         ${inLine(problem)}`),
  ].join('\n');
}

export function showCollection(collection: Collection): string {
  const { swept, graceMs, needed, young, garbage, records, foreign, uploadsAborted } = collection;
  const hours = graceMs / 3_600_000;
  const rows: (readonly [string, string])[] = [
    ['needed', amountOf(needed)],
    ['unnamed, younger than the grace', `${amountOf(young)}: kept`],
    [`unnamed for ${hours} h`, `${amountOf(garbage)}: ${swept ? 'deleted' : 'would be deleted'}`],
    ['records of the past', `${amountOf(records)}: ${swept ? 'deleted' : 'would be deleted'}`],
    ...(foreign.objects === 0 ? [] : [['not ours', `${amountOf(foreign)}: left alone`] as const]),
    ...(uploadsAborted === 0
      ? []
      : [['uploads that nobody finishes', `${uploadsAborted}: aborted`] as const]),
  ];
  return [
    columns(rows),
    ...collection.notes.map((note) => `Note: ${inLine(note)}.`),
    ...named('named, but missing (see secpi artifacts verify)', collection.missing),
    ...named('LOST: deleted by this collection, and named now', collection.lost),
    ...(swept ? [] : ['Nothing was deleted: --delete does it.']),
  ].join('\n');
}

function named(title: string, blobs: Collection['lost']): string[] {
  if (blobs.length === 0) return [];
  const rest = blobs.length - SHOWN;
  return [
    `${blobs.length} blobs are ${title}:`,
    ...blobs.slice(0, SHOWN).map(({ sha256, namedBy }) => `  ${sha256}  named by ${inLine(namedBy)}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

function amountOf({ objects, bytes }: Amount): string {
  return `${objects} ${objects === 1 ? 'object' : 'objects'}, ${sizeOf(bytes)}`;
}

export function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
