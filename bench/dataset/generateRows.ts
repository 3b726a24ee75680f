/**
 * Writes DIR/rows.jsonl, and DIR/truth.json of [row, the row it was made from, their exact Jaccard similarity] for the
 * near-duplicates. Usage: node bench/dataset/generateRows.ts ROWS DIR
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const [rows, dir = ''] = [Number(process.argv[2]), process.argv[3]];
const WORDS = 50;
const NEAR_SHARE = 0.05;
/** Originals are kept for so many rows; a near-duplicate is made from one of them. */
const MEMORY = 20_000;

/** mulberry32: the same rows on every machine. */
let state = 20_260_101;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);

const vocabulary = Array.from({ length: 20_000 }, () =>
  Array.from({ length: 2 + below(7) }, () => String.fromCharCode(97 + below(26))).join(''),
);
/** Few words are frequent, as in real texts. */
const word = (): string => vocabulary[Math.floor(vocabulary.length * random() ** 2)] ?? '';

function shingles(words: readonly string[]): Set<string> {
  return new Set(words.slice(4).map((_, at) => words.slice(at, at + 5).join(' ')));
}

function jaccard(left: readonly string[], right: readonly string[]): number {
  const [a, b] = [shingles(left), shingles(right)];
  const common = [...a].filter((shingle) => b.has(shingle)).length;
  return common / (a.size + b.size - common);
}

/** A few words changed inside, or some added at the end: similarities from 0.3 to 1. */
function edited(words: readonly string[]): string[] {
  const copy = [...words];
  for (let change = below(4); change > 0; change -= 1) copy[below(copy.length)] = word();
  for (let added = below(12); added > 0; added -= 1) copy.push(word());
  return copy;
}

const file = createWriteStream(join(dir, 'rows.jsonl'));
const originals: { row: number; words: string[] }[] = [];
const truth: [number, number, number][] = [];
for (let row = 0; row < rows; row += 1) {
  const source = random() < NEAR_SHARE ? originals[below(originals.length)] : undefined;
  const words = source === undefined ? Array.from({ length: WORDS }, word) : edited(source.words);
  if (source === undefined)
    originals[originals.length < MEMORY ? originals.length : below(MEMORY)] = { row, words };
  else truth.push([row, source.row, jaccard(source.words, words)]);
  const line = JSON.stringify({ id: row, instruction: words.join(' '), output: 'x'.repeat(40) });
  if (!file.write(`${line}\n`)) await once(file, 'drain');
}
file.end();
await once(file, 'finish');
await writeFile(join(dir, 'truth.json'), JSON.stringify(truth));
