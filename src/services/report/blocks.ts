/** What a report says, apart from how it looks: the HTML page and Markdown are made from the same blocks. */

/** A figure on one line; with what belongs below it; longer text; or a name that is set as code. */
export type Cell =
  | string
  | { readonly value: string; readonly below: readonly string[] }
  | { readonly text: string }
  | { readonly code: string };

export interface Row {
  readonly label: string;
  readonly cells: readonly Cell[];
  /** Said beside the label, less loudly. */
  readonly note?: string;
  /** "primary": the measure to judge by. "group": a heading within the table, without cells. */
  readonly kind?: 'primary' | 'group';
  /** Section of the page that the label leads to. */
  readonly anchor?: string;
  /** Filters of the list of samples that the label sets, by name. */
  readonly filter?: Readonly<Record<string, string>>;
}

export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  /** Said less loudly: what stands behind a table. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'facts'; readonly entries: Readonly<Record<string, string>> }
  | {
      readonly kind: 'table';
      /** Of scores: large figures. */
      readonly scores: boolean;
      readonly header: readonly string[];
      readonly rows: readonly Row[];
    };

export const heading = (text: string): Block => ({ kind: 'heading', text });
export const text = (text: string): Block => ({ kind: 'text', text });
export const note = (text: string): Block => ({ kind: 'note', text });
export const list = (items: readonly string[]): Block => ({ kind: 'list', items });
export const facts = (entries: Readonly<Record<string, string>>): Block => ({ kind: 'facts', entries });
export const table = (header: readonly string[], rows: readonly Row[]): Block => ({
  kind: 'table',
  scores: false,
  header,
  rows,
});
export const scoreTable = (header: readonly string[], rows: readonly Row[]): Block => ({
  kind: 'table',
  scores: true,
  header,
  rows,
});
