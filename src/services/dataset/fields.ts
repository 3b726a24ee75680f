/** Finds a value in a raw record by a field's name: a plain name, or a path such as `problem.statement`. Pure. */

export type RawRow = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is RawRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name with dots is first taken as it stands, then as a path; a number in a path is a place in a list. */
export function valueAt(record: RawRow, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name];
  let value: unknown = record;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step) as unknown;
  }
  return value;
}

/** The field that the recipe chose, or else the first of the well-known ones that holds a text or a number. */
export function pickText(
  record: RawRow,
  chosen: string | undefined,
  known: readonly string[],
): string | null {
  for (const name of chosen === undefined ? known : [chosen]) {
    const text = textOf(valueAt(record, name));
    if (text !== null) return text;
  }
  return null;
}

/** Like `pickText`; a list of texts (a statement or a case each) counts as one text of as many lines. */
export function pickLines(
  record: RawRow,
  chosen: string | undefined,
  known: readonly string[],
): string | null {
  for (const name of chosen === undefined ? known : [chosen]) {
    const value = valueAt(record, name);
    const text =
      Array.isArray(value) && value.every((line) => typeof line === 'string') ? value.join('\n') : value;
    if (typeof text === 'string' && text.trim() !== '') return text.toWellFormed();
  }
  return null;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value.toWellFormed();
  // Parquet's 64-bit integers.
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}

const EXCERPT_CHARACTERS = 500;

/** The start of a raw value, for a reader. */
export function excerptOf(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint'
      ? String(inner)
      : typeof inner === 'string'
        ? inner.slice(0, EXCERPT_CHARACTERS)
        : inner,
  );
  return (text ?? String(value)).slice(0, EXCERPT_CHARACTERS).toWellFormed();
}
