/** Text as a sequence of word hashes: what all comparisons work on. Pure. */

/** Words of a text as two independent 32-bit hashes each. */
export interface WordHashes {
  readonly length: number;
  /** Filled up to `length`. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  /** 1 for a word that tells something: neither a number nor a single letter. */
  readonly telling: Uint8Array;
}

const CODE_9 = 57;

/**
 * A word is a run of letters, digits and underscores, whatever its case; everything else only separates. A character of
 * Chinese, Japanese or Korean is a word of its own, as these are written without blanks.
 */
export function hashWords(text: string): WordHashes {
  const lower = text.toLowerCase();
  const low = new Uint32Array(lower.length);
  const high = new Uint32Array(lower.length);
  const telling = new Uint8Array(lower.length);
  let length = 0;
  let at = 0;
  while (at < lower.length) {
    let code = lower.charCodeAt(at);
    if (!isWordCode(code)) {
      at += 1;
      continue;
    }
    // FNV-1a, and a second hash of another form, so that a collision of one is none of the other.
    let a = 0x811c9dc5;
    let b = 0x9e3779b9;
    const start = at;
    let hasLetter = false;
    do {
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b + code, 0x85ebca6b);
      b ^= b >>> 15;
      at += 1;
      hasLetter ||= code > CODE_9;
      if (isIdeograph(code)) break;
      code = at < lower.length ? lower.charCodeAt(at) : 0;
    } while (isWordCode(code) && !isIdeograph(code));
    low[length] = a;
    high[length] = b;
    telling[length] = hasLetter && (at - start > 1 || isIdeograph(code)) ? 1 : 0;
    length += 1;
  }
  return { length, low, high, telling };
}

/** Comments of the common languages; a `#` or `//` within a word or an address is none. Strings are not told apart, and one left open runs to the end. */
const COMMENT =
  /\/\*[\s\S]*?(?:\*\/|(?![\s\S]))|<!--[\s\S]*?(?:-->|(?![\s\S]))|(?<=^|[\s;{}()])(?:#|\/\/|--\s).*$/gmu;

/** The text without its comments; null when it has none. */
export function withoutComments(text: string): string | null {
  if (!text.includes('#') && !text.includes('//') && !text.includes('/*') && !text.includes('--'))
    return null;
  const stripped = text.replace(COMMENT, ' ');
  return stripped === text ? null : stripped;
}

function isWordCode(code: number): boolean {
  if (code < 128) {
    return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95;
  }
  return isForeignLetter(code);
}

const foreign = new Map<number, boolean>();

function isForeignLetter(code: number): boolean {
  let letter = foreign.get(code);
  if (letter === undefined) {
    // Half of a surrogate pair counts as a letter: the rare scripts beyond are letters, and emoji stay whole words.
    letter = (code >= 0xd800 && code <= 0xdfff) || /[\p{L}\p{N}\p{M}]/u.test(String.fromCharCode(code));
    foreign.set(code, letter);
  }
  return letter;
}

function isIdeograph(code: number): boolean {
  return (code >= 0x3040 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7a3);
}
