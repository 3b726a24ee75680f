/**
 * Compares texts with those of evaluation sets: whole copies, copies that differ by case, blanks, punctuation or
 * comments, a run of 13 words in common (as GPT-3's authors did, arXiv 2005.14165, appendix C), and texts that are
 * alike as wholes.
 */
import { fingerprint } from '../store/index.ts';
import { gramKey, GramTable, visitGrams } from './grams.ts';
import { SimilarTexts } from './similarity.ts';
import { hashWords, withoutComments, type WordHashes } from './words.ts';

export interface EvaluationText {
  /** "suite/core/py/cwe_022_0". */
  readonly task: string;
  /** "prompt", "reference", …; null where a task is one text. */
  readonly part: string | null;
  readonly text: string;
  /** Tasks of one group are translations of each other: what only they have in common is not boilerplate. */
  readonly group: string;
}

/** One evaluation text that a task or an answer resembles. */
export interface Contamination {
  /** Which evaluation task, e.g. "suite/core/py/cwe_022_0". */
  readonly task: string;
  /** What was found, e.g. "13-gram of suite/core/py/cwe_022_0 (reference)". */
  readonly how: string;
}

export interface Decontaminator {
  /** Hash of the evaluation texts and of the version of the checks: part of a filter's fingerprint. */
  readonly contentSha256: string;
  /** How many evaluation texts it compares with. */
  readonly texts: number;
  /** The first resemblance found, null for a clean text. */
  readonly check: (text: string) => Contamination | null;
}

/** Raise it whenever a check changes: it is part of `contentSha256`. */
const CHECKS_VERSION = 1;
const CONTAMINATION_WORDS = 13;
const SIMILARITY = 0.8;
/** Without their comments, texts of fewer words are equal by chance. */
const MIN_WORDS_WITHOUT_COMMENTS = 8;
/** Of 13 words. The pieces of a regular expression and lists of numbers are the same everywhere. */
const MIN_TELLING_WORDS = 8;
/** A 13-gram of so many unrelated tasks, and of this share of all, is an import list or a licence, not a task. */
const BOILERPLATE_TASKS = 5;
const BOILERPLATE_SHARE = 0.02;

export function createDecontaminator(evaluation: readonly EvaluationText[]): Decontaminator {
  // Each text as it stands, and without its comments.
  const variants = evaluation.flatMap((text): Variant[] =>
    variantsOf(text.text).map((words) => ({ text, words })),
  );
  const exact = new Map(evaluation.map((text) => [text.text.trim(), text]));
  const copies = new Map(variants.map(({ text, words }) => [wholeKey(words), text]));
  const grams = gramsOf(variants);
  const similar = new SimilarTexts(variants.map(({ words }) => words));

  // The surest finding first, for the text as it stands and then without its comments.
  const checks: readonly ((words: WordHashes) => Contamination | null)[] = [
    (words) => {
      const copy = words.length === 0 ? undefined : copies.get(wholeKey(words));
      return copy === undefined
        ? null
        : found(copy, (name) => `copy of ${name} but for case, blanks, punctuation or comments`);
    },
    (words) => {
      let owner = -1;
      visitGrams(words, CONTAMINATION_WORDS, (low, high) => {
        owner = grams.find(low, high);
        return owner !== -1;
      });
      const shared = variants[owner];
      return shared === undefined
        ? null
        : found(shared.text, (name) => `${CONTAMINATION_WORDS}-gram of ${name}`);
    },
    (words) => {
      const alike = similar.find(words, SIMILARITY);
      const like = alike === null ? undefined : variants[alike.text];
      if (alike === null || like === undefined) return null;
      return found(like.text, (name) => `${alike.similarity.toFixed(2)} like ${name}`);
    },
  ];

  return {
    contentSha256: fingerprint({
      version: CHECKS_VERSION,
      texts: evaluation
        .map(({ task, part, text, group }) => fingerprint({ task, part, text, group }))
        .toSorted(),
    }),
    texts: evaluation.length,
    check: (text) => {
      const same = exact.get(text.trim());
      if (same !== undefined) return found(same, (name) => `copy of ${name}`);
      const given = variantsOf(text);
      for (const check of checks) {
        for (const words of given) {
          const contamination = check(words);
          if (contamination !== null) return contamination;
        }
      }
      return null;
    },
  };
}

function variantsOf(text: string): WordHashes[] {
  const whole = hashWords(text);
  const stripped = withoutComments(text);
  if (stripped === null) return [whole];
  const code = hashWords(stripped);
  return code.length < MIN_WORDS_WITHOUT_COMMENTS ? [whole] : [whole, code];
}

interface Variant {
  readonly text: EvaluationText;
  readonly words: WordHashes;
}

/** The 13-grams that betray a task, each with the number of the first variant that holds it. */
function gramsOf(variants: readonly Variant[]): GramTable {
  const groups = Object.values(Object.groupBy(variants, ({ text }) => text.group));
  const tasksByGram = new Map<number, number>();
  for (const group of groups) {
    const keys = new Set<number>();
    for (const { words } of group ?? [])
      visitTellingGrams(words, (low, high) => keys.add(gramKey(low, high)));
    for (const key of keys) tasksByGram.set(key, (tasksByGram.get(key) ?? 0) + 1);
  }
  const boilerplate = Math.max(BOILERPLATE_TASKS, BOILERPLATE_SHARE * groups.length);
  const table = new GramTable(tasksByGram.size);
  for (const [number, { words }] of variants.entries()) {
    visitTellingGrams(words, (low, high) => {
      if ((tasksByGram.get(gramKey(low, high)) ?? 0) < boilerplate) table.add(low, high, number);
    });
  }
  return table;
}

function visitTellingGrams(words: WordHashes, visit: (low: number, high: number) => void): void {
  /** Telling words before each position. */
  const before = new Uint32Array(words.length + 1);
  for (let at = 0; at < words.length; at += 1) before[at + 1] = (before[at] ?? 0) + (words.telling[at] ?? 0);
  visitGrams(words, CONTAMINATION_WORDS, (low, high, end) => {
    const telling = (before[end] ?? 0) - (before[end - CONTAMINATION_WORDS] ?? 0);
    if (telling >= MIN_TELLING_WORDS) visit(low, high);
    return false;
  });
}

/** All words of a text as one hash. */
function wholeKey(words: WordHashes): number {
  let key = 0;
  visitGrams(words, words.length, (low, high) => {
    key = gramKey(low, high);
    return true;
  });
  return key;
}

function found({ task, part }: EvaluationText, how: (name: string) => string): Contamination {
  return { task, how: how(part === null ? task : `${task} (${part})`) };
}
