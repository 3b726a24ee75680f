/** The texts of all samples in packed chunks that fit into what the page has room for. */
import { html, type Html } from '../html.ts';
import { pack, packedElement, type Packed } from '../packed.ts';
import { Numbering, textRow, type PlacedSample, type TextRow } from './rows.ts';
import { noTexts, textRules, type TextRule } from './rules.ts';

/** Enough for deflate to find what samples share, little enough to open at once. */
const CHUNK_CHARACTERS = 1_000_000;
/** Chunks that are deflated at a time: Node has four threads for it. */
const CONCURRENCY = 4;
/** Above that many samples a rule is tried on some of them first. */
const PROBE_FROM = 4000;
const PROBES = 20;
const PROBE_SAMPLES = 100;

export interface SampleTexts {
  readonly block: Html;
  /** Position of each chunk's first sample. */
  readonly starts: readonly number[];
  readonly rule: TextRule;
}

interface Chunks {
  readonly chunks: readonly Packed[];
  readonly starts: readonly number[];
  readonly prompts: Packed;
  readonly size: number;
}

/** As much of the texts as `budgetBytes` allows. */
export async function sampleTexts(
  samples: readonly PlacedSample[],
  budgetBytes: number,
): Promise<SampleTexts> {
  for (const rule of textRules.slice(await firstThatMayFit(samples, budgetBytes))) {
    const packed = await packAll(samples, rule);
    if (packed.size <= budgetBytes) return textsOf(packed, rule);
  }
  return textsOf(await packAll(samples, noTexts), noTexts);
}

function textsOf({ chunks, starts, prompts }: Chunks, rule: TextRule): SampleTexts {
  const block = html`${packedElement('sample-prompts', prompts)}${chunks.map((chunk, i) => packedElement(`chunk-${i}`, chunk))}`;
  return { block, starts, rule };
}

/** Place of the first rule that a few of the samples speak for. Each rule keeps less than the one before. */
async function firstThatMayFit(samples: readonly PlacedSample[], budgetBytes: number): Promise<number> {
  if (samples.length < PROBE_FROM) return 0;
  let [low, high] = [0, textRules.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const rule = textRules[middle];
    if (rule !== undefined && (await probe(samples, rule)) > budgetBytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** About how large the texts would be. */
async function probe(samples: readonly PlacedSample[], rule: TextRule): Promise<number> {
  const picked = Array.from({ length: PROBES }, (_, i) => {
    const start = Math.floor((i * samples.length) / PROBES);
    return samples.slice(start, start + PROBE_SAMPLES);
  });
  const prompts = new Numbering();
  const rows = picked.map((part) => part.map((sample) => textRow(sample, rule, prompts)));
  const sizes = await Promise.all(rows.map(async (part) => (await pack(part)).text.length));
  const seen = picked.reduce((sum, part) => sum + part.length, 0);
  return (sizes.reduce((sum, size) => sum + size, 0) * samples.length) / seen;
}

async function packAll(samples: readonly PlacedSample[], rule: TextRule): Promise<Chunks> {
  const prompts = new Numbering();
  const starts: number[] = [];
  const chunks: Packed[] = [];
  let waiting: TextRow[][] = [];
  let rows: TextRow[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    chunks.push(...(await Promise.all(waiting.map(async (rows) => await pack(rows)))));
    waiting = [];
  };
  for (const [position, sample] of samples.entries()) {
    if (rows.length === 0) starts.push(position);
    const row = textRow(sample, rule, prompts);
    rows.push(row);
    characters += lengthOf(row);
    if (characters < CHUNK_CHARACTERS && position < samples.length - 1) continue;
    waiting.push(rows);
    rows = [];
    characters = 0;
    if (waiting.length === CONCURRENCY) await flush();
  }
  await flush();
  const packedPrompts = await pack(prompts.texts);
  const size = [packedPrompts, ...chunks].reduce((sum, { text }) => sum + text.length + 100, 0);
  return { chunks, starts, prompts: packedPrompts, size };
}

function lengthOf([, reply, reasoning, code, log]: TextRow): number {
  return [reply, reasoning, code, log].reduce(
    (sum: number, text) => sum + (typeof text === 'string' ? text.length : 0),
    200,
  );
}
