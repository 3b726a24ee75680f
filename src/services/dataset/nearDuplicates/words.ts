/**
 * Words of a text as 32-bit hashes, without a string per word: a million texts are read in seconds. A word is a run
 * of letters, digits, marks and underscores in lower case; a Chinese or Japanese character is a word by itself.
 */

const BREAK = 1;
const PART = 2;
const ALONE = 3;

/** Class of each UTF-16 unit, found out when it first occurs; 0 before. */
const classes = new Uint8Array(65_536);

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export interface WordReader {
  /** Valid until the next call. */
  read(text: string): Uint32Array;
}

/** Reads at most `maxWords` of a text. */
export function createWordReader(maxWords: number): WordReader {
  let words = new Uint32Array(1024);
  return {
    read(text) {
      const lower = text.toLowerCase();
      let count = 0;
      let hash = FNV_OFFSET;
      let inWord = false;
      for (let at = 0; at < lower.length; at += 1) {
        const unit = lower.charCodeAt(at);
        const kind = classes[unit] || classify(unit);
        if (inWord && kind !== PART) {
          words = put(words, count, hash);
          count += 1;
          hash = FNV_OFFSET;
        }
        if (count === maxWords) return words.subarray(0, count);
        inWord = kind !== BREAK;
        if (!inWord) continue;
        hash = Math.imul(hash ^ unit, FNV_PRIME);
        if (kind !== ALONE) continue;
        words = put(words, count, hash);
        count += 1;
        hash = FNV_OFFSET;
        inWord = false;
      }
      if (inWord && count < maxWords) {
        words = put(words, count, hash);
        count += 1;
      }
      return words.subarray(0, count);
    },
  };
}

/** The finaliser of MurmurHash3 (Appleby): every bit of the input moves every bit of the result. */
export function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function classify(unit: number): number {
  const character = String.fromCharCode(unit);
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  const kind = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(character)
    ? ALONE
    : isSurrogate || /[\p{L}\p{N}\p{M}_]/u.test(character)
      ? PART
      : BREAK;
  classes[unit] = kind;
  return kind;
}

/** The array with the word at its place: itself, or one twice as long. */
function put(words: Uint32Array<ArrayBuffer>, at: number, hash: number): Uint32Array<ArrayBuffer> {
  let into = words;
  if (at === words.length) {
    into = new Uint32Array(2 * words.length);
    into.set(words);
  }
  into[at] = mix(hash);
  return into;
}
