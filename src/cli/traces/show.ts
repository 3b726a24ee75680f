/** Rows, verdicts and traces for a terminal. What datasets and models wrote can hold escapes: they are spelled out. Pure. */
import { spellOutControls } from '../../services/sandbox/text.ts';
import type { DataEntry, DataKind } from '../../services/report/index.ts';

const PREVIEW_CHARACTERS = 240;
const LABEL_COLUMNS = 12;
const INDENT = ' '.repeat(2);

export const kindLabels: Readonly<Record<DataKind, string>> = {
  kept: 'kept',
  dropped: 'dropped',
  excluded: 'excluded',
  dead: 'dead letter',
  accepted: 'accepted',
  rejected: 'rejected',
  review: 'review',
};

/** A block of lines; with `full` every text as a whole, otherwise a line of each. */
export function showEntry(entry: DataEntry, { full }: { readonly full: boolean }): string {
  const { kind, index, id, sample, language, cwes, reason, detail, texts } = entry;
  const head = [
    kindLabels[kind].padEnd(LABEL_COLUMNS),
    `#${index}`,
    ...(id === '' ? [] : [inLine(id)]),
    ...(sample === null ? [] : [`answer ${sample}`]),
    ...(language === null ? [] : [inLine(language)]),
    ...cwes,
  ].join('  ');
  const why = [reason, detail].filter((part) => part !== null);
  return [
    head,
    ...(why.length === 0 ? [] : [labelled('reason', full ? safe(why.join(': ')) : preview(why.join(': ')))]),
    ...texts.map(({ title, text }) =>
      full ? whole(title, text) : labelled(title.toLowerCase(), preview(text)),
    ),
  ].join('\n');
}

/** One line of JSON that holds everything; what could act in a terminal stands in JSON's own escapes. */
export function jsonLine({ kind, stage, row }: DataEntry): string {
  return asciiControls(JSON.stringify({ kind, stage, ...row }));
}

export function safe(text: string): string {
  return spellOutControls(text);
}

/** Without line ends and tabs. */
export function inLine(text: string): string {
  return safe(text.replaceAll(/\s+/gu, ' ').trim());
}

export function asciiControls(json: string): string {
  return json.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function preview(text: string): string {
  // A long text is cut before it is looked at as a whole.
  const start = text.slice(0, 4 * PREVIEW_CHARACTERS);
  const line = inLine(start);
  if (line.length <= PREVIEW_CHARACTERS && start.length === text.length) return line;
  return `${line.slice(0, PREVIEW_CHARACTERS)}… (${text.length.toLocaleString('en')} characters)`;
}

function labelled(label: string, text: string): string {
  return `${INDENT}${label.padEnd(LABEL_COLUMNS - 1)} ${text}`;
}

function whole(title: string, text: string): string {
  const lines = safe(text).split('\n');
  return [`${INDENT}── ${title}`, ...lines.map((line) => `${INDENT}${line}`)].join('\n');
}
