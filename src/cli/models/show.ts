/** Registered models for a terminal. Pure. */
import { actorName, type Current, type ModelEntry } from '../../services/registry/index.ts';
import { columns } from '../columns.ts';
import { inLine } from '../traces/show.ts';

export interface ListedRow {
  readonly name: string;
  readonly versions: readonly number[];
  readonly current: Current | null;
  readonly newest: ModelEntry;
  /** Of the current version. */
  readonly entry: ModelEntry | null;
}

export function showList(rows: readonly ListedRow[]): string {
  if (rows.length === 0)
    return 'No model is registered yet. A recipe registers with finetune.register: {"name": "…"}.';
  const head = ['name', 'current', 'newest', 'base model', 'held-out loss', 'guard loss', 'entered'];
  const lines = rows.map(({ name, versions, current, newest, entry }) => {
    const shown = entry ?? newest;
    const { metrics } = shown;
    return [
      name,
      current === null ? '-' : String(current.version),
      String(versions.at(-1) ?? '-'),
      shown.base.uri,
      change(metrics.evalLossBefore, metrics.evalLossAfter),
      change(metrics.guardLossBefore, metrics.guardLossAfter),
      shown.createdAt.slice(0, 10),
    ].map(inLine);
  });
  return columns([head, ...lines]);
}

export interface ShownEntry {
  readonly entry: ModelEntry;
  readonly versions: readonly number[];
  readonly current: Current | null;
}

export function showEntry({ entry, versions, current }: ShownEntry): string {
  const { base, lineage, metrics, artifact } = entry;
  const { code } = lineage;
  const state =
    current === null
      ? 'no version is current'
      : `current is ${current.version}, since ${current.promotedAt} by ${actorName(current.by)}`;
  const rows: (readonly [string, string])[] = [
    ['versions', `${versions.join(', ')}; ${state}`],
    ['artefact', artifact.uri],
    ['content', entry.contentSha256],
    ['entered', `${entry.createdAt} by ${actorName(entry.createdBy)}`],
    [
      'base model',
      `${base.uri}${base.revision === null ? '' : ` at ${base.revision}`}, licence ${base.license}`,
    ],
    ['', `content ${base.contentSha256}`],
    ['traces', lineage.traces.uri],
    ...(lineage.traces.teacher === null ? [] : [['teacher', lineage.traces.teacher] as const]),
    ...lineage.datasets.map(
      ({ name, license, uri }) =>
        ['dataset', `${name}, licence ${license}${uri === null ? '' : `, ${uri}`}`] as const,
    ),
    ['settings', lineage.settingsSha256],
    ['code', `training code ${code.train}, package ${code.package}`],
    ['steps', String(metrics.steps)],
    ...(metrics.trainTokens === null
      ? []
      : [['train tokens', `${metrics.trainTokens} in one pass`] as const]),
    ['held-out loss', change(metrics.evalLossBefore, metrics.evalLossAfter)],
    ['guard loss', change(metrics.guardLossBefore, metrics.guardLossAfter)],
    ['weights', entry.hasAdapter ? 'merged, adapter' : 'merged'],
  ];
  return [
    `${inLine(entry.name)}@${entry.version}`,
    columns(rows.map((row) => ['', ...row.map(inLine)])),
  ].join('\n');
}

/** Nats per token, before → after. */
function change(before: number | null, after: number | null): string {
  const figure = (loss: number | null): string => (loss === null ? '?' : loss.toFixed(4));
  return before === null && after === null ? 'not measured' : `${figure(before)} → ${figure(after)}`;
}
