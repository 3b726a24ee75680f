/** Summary and report of a run. */
export { buildSummary, type EvaluatedModel, type SummaryInput } from './buildSummary.ts';
export { renderMarkdown } from './markdown.ts';
export { outcomeOf, outcomes, type Outcome } from './outcome.ts';
export { renderHtml } from './page.ts';
export type { ReportedSample } from './sampleData.ts';
export { renderTable } from './table.ts';
