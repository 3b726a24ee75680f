/** Summary and report of a run. */
export {
  buildSummary,
  type EvaluatedBenchmark,
  type EvaluatedModel,
  type SummaryInput,
} from './buildSummary.ts';
export { collectDataRows, type DataRows, type ReportedRow } from './data/collect.ts';
export {
  dataArtefacts,
  readEntries,
  rowsIn,
  sourcesOf,
  type DataArtefactKind,
  type DataEntry,
  type EntrySource,
} from './data/entries.ts';
export { dataKinds, type DataKind } from './data/kinds.ts';
export { dataSummaryOf } from './data/summarise.ts';
export { renderExperimentHtml, renderExperimentMarkdown } from './experiment/render.ts';
export { renderMarkdown } from './markdown.ts';
export { outcomeOf, outcomes, type Outcome } from './outcome.ts';
export { renderHtml } from './page.ts';
export type { ReportedSample } from './samples/reported.ts';
export { renderTable } from './table.ts';
