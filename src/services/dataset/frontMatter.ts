/**
 * The YAML front matter of a dataset card, as far as it says which files to read and under which licence. Of YAML only
 * what those fields are written in is understood: block maps and lists, texts bare or quoted, lists in brackets. Other
 * fields are passed over. Pure.
 */
import { unreadable } from './unreadable.ts';

export interface DataFiles {
  /** Null where the card does not name splits. */
  readonly split: string | null;
  /** File names or patterns, relative to the folder. */
  readonly paths: readonly string[];
}

export interface Card {
  readonly license: string | null;
  /** Of the default configuration; empty where the card names no files. */
  readonly dataFiles: readonly DataFiles[];
}

type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

export function readCard(readme: string): Card {
  const lines = frontMatterLines(readme);
  const fields = topFields(lines);
  const licenses = texts(parsed(fields.get('license') ?? []));
  const configs = parsed(fields.get('configs') ?? []);
  return { license: licenses.length === 0 ? null : licenses.join(', '), dataFiles: dataFilesOf(configs) };
}

function frontMatterLines(readme: string): Line[] {
  const all = readme.replace(/^\uFEFF/u, '').split(/\r?\n/u);
  if (all[0]?.trimEnd() !== '---') return [];
  const end = all.findIndex((text, index) => index > 0 && text.trimEnd() === '---');
  if (end === -1) throw broken(1, 'the front matter has no closing "---"');
  return all.slice(1, end).flatMap((raw, index) => {
    const text = raw.trimEnd();
    const number = index + 2;
    if (/^ *\t/u.test(text)) throw broken(number, 'a tab indents the line');
    if (text.trim() === '' || text.trimStart().startsWith('#')) return [];
    return [{ number, indent: text.length - text.trimStart().length, text: text.trim() }];
  });
}

/** The lines of each top-level field, its own first. */
function topFields(lines: readonly Line[]): Map<string, Line[]> {
  const fields = new Map<string, Line[]>();
  let current: Line[] | null = null;
  for (const line of lines) {
    const key = line.indent === 0 ? keyOf(line.text) : null;
    if (key !== null) {
      if (fields.has(key.name)) throw broken(line.number, `"${key.name}" stands twice`);
      current = [{ ...line, text: key.rest }];
      fields.set(key.name, current);
    } else if (current === null || (line.indent === 0 && !isItem(line.text) && !isClosing(line.text))) {
      throw broken(line.number, `"${line.text.slice(0, 40)}" is neither a field nor part of one`);
    } else current.push(line);
  }
  return fields;
}

/** A field's value: beside the key, or in the lines below. */
function parsed([head, ...below]: readonly Line[]): Yaml {
  if (head === undefined) return [];
  if (head.text !== '') return scalarOrList([head, ...below]);
  return block(below);
}

function block(lines: readonly Line[]): Yaml {
  const first = lines[0];
  if (first === undefined) return [];
  if (isItem(first.text)) return splitAt(lines, first.indent, (line) => isItem(line.text)).map(itemValue);
  if (keyOf(first.text) === null) return scalarOrList(lines);
  const entries = splitAt(lines, first.indent, (line) => keyOf(line.text) !== null).map((part) => {
    const [head, ...below] = part;
    const key = head === undefined ? null : keyOf(head.text);
    if (head === undefined || key === null) throw broken(first.number, 'a field has no name');
    return [key.name, parsed([{ ...head, text: key.rest }, ...below])] as const;
  });
  return Object.fromEntries(entries);
}

/** `- ` opens an item; what follows on the line belongs to the block under it. */
function itemValue([head, ...below]: readonly Line[]): Yaml {
  if (head === undefined) return [];
  const rest = head.text.slice(1).trimStart();
  if (rest === '') return block(below);
  const inner = { ...head, text: rest, indent: head.indent + head.text.length - rest.length };
  return block([inner, ...below]);
}

function splitAt(lines: readonly Line[], indent: number, opens: (line: Line) => boolean): Line[][] {
  const parts: Line[][] = [];
  for (const line of lines) {
    if (line.indent === indent && opens(line)) parts.push([line]);
    else if (line.indent >= indent && parts.length > 0) parts.at(-1)?.push(line);
    else throw broken(line.number, `the indentation of "${line.text.slice(0, 40)}" fits nothing above`);
  }
  return parts;
}

function scalarOrList(lines: readonly Line[]): Yaml {
  const text = lines.map((line) => line.text).join(' ');
  const number = lines[0]?.number ?? 1;
  if (!text.startsWith('[')) {
    const stray = lines.slice(1).find((line) => keyOf(line.text) !== null || isItem(line.text));
    if (stray !== undefined) throw broken(stray.number, `"${stray.text.slice(0, 40)}" follows a text`);
    return scalar(text, number);
  }
  const inner = /^\[(.*)\](?:\s+#.*)?$/u.exec(text)?.[1];
  if (inner === undefined) throw broken(number, 'a list in brackets is not closed');
  const items = inner.match(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\s][^,]*/gu) ?? [];
  return items.map((item) => scalar(item.trim(), number));
}

function scalar(text: string, number: number): string {
  const quoted = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')(?:\s+#.*)?$/u.exec(text);
  if (quoted !== null) return quoted[1]?.replace(/\\(.)/gu, '$1') ?? quoted[2]?.replaceAll("''", "'") ?? '';
  if (/^["'{]/u.test(text)) throw broken(number, `${text.slice(0, 40)} is not understood`);
  return text.replace(/\s+#.*$/u, '');
}

const isItem = (text: string): boolean => text === '-' || text.startsWith('- ');
const isClosing = (text: string): boolean => /^[\]}]/u.test(text);

function keyOf(text: string): { name: string; rest: string } | null {
  const match = /^(?:"([^"]+)"|'([^']+)'|([^\s"'[\]{}#,-][^:"'[\]{}]*?))\s*:(?:\s+(.*))?$/u.exec(text);
  const name = match?.[1] ?? match?.[2] ?? match?.[3];
  const rest = match?.[4] ?? '';
  return name === undefined ? null : { name, rest: rest.startsWith('#') ? '' : rest };
}

function dataFilesOf(configs: Yaml): DataFiles[] {
  const maps = (Array.isArray(configs) ? (configs as readonly Yaml[]) : [configs]).filter(isMap);
  const chosen =
    maps.find((config) => config['default'] === 'true') ??
    maps.find((config) => config['config_name'] === 'default') ??
    maps[0];
  const files = chosen?.['data_files'];
  if (files === undefined) return [];
  if (isMap(files)) return Object.entries(files).map(([split, paths]) => ({ split, paths: texts(paths) }));
  const entries: readonly Yaml[] = typeof files === 'string' ? [files] : files;
  return entries.map((entry) =>
    isMap(entry)
      ? { split: texts(entry['split'] ?? [])[0] ?? null, paths: texts(entry['path'] ?? []) }
      : { split: null, paths: texts(entry) },
  );
}

function isMap(value: Yaml): value is { readonly [key: string]: Yaml } {
  return typeof value === 'object' && !Array.isArray(value);
}

function texts(value: Yaml): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return Array.isArray(value) ? (value as readonly Yaml[]).filter((item) => typeof item === 'string') : [];
}

function broken(line: number, problem: string): Error {
  return unreadable(`the front matter of README.md is broken in line ${line}: ${problem}.`, {
    remedy: 'Mend the YAML at the head of README.md, or remove it and name the licence in dataset.license.',
  });
}
