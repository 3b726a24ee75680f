/** A set of 64-bit hashes in typed arrays: 8 bytes a place, at most two thirds of the places taken. */

/** Tables grow one at a time, so that growing never blocks for long. A power of two. */
const TABLES = 64;
const FIRST_PLACES = 256;

export interface HashSet {
  /** Adds the hash that these hexadecimal digits begin with (at least 16); false where it was there already. */
  add(hex: string): boolean;
  readonly size: number;
}

/**
 * The first 64 bits of a SHA-256 stand for the whole: among n texts, two different ones are taken for equal with a
 * probability of at most n²/2⁶⁵ (birthday bound; 3e-8 for a million).
 */
export function createHashSet(): HashSet {
  const tables = Array.from({ length: TABLES }, () => createTable());
  let size = 0;
  return {
    add(hex) {
      const high = Number.parseInt(hex.slice(0, 8), 16);
      const low = Number.parseInt(hex.slice(8, 16), 16);
      const added = tables[low % TABLES]?.add(high, low) ?? false;
      if (added) size += 1;
      return added;
    },
    get size() {
      return size;
    },
  };
}

interface Table {
  add(high: number, low: number): boolean;
}

function createTable(): Table {
  let places = new Uint32Array(2 * FIRST_PLACES);
  let taken = 0;
  // A place of two zeros is free, so the hash zero is kept apart.
  let hasZero = false;

  function insert(into: Uint32Array, high: number, low: number): boolean {
    const mask = into.length / 2 - 1;
    for (let place = high & mask; ; place = (place + 1) & mask) {
      const foundHigh = into[2 * place];
      const foundLow = into[2 * place + 1];
      if (foundHigh === high && foundLow === low) return false;
      if (foundHigh !== 0 || foundLow !== 0) continue;
      into[2 * place] = high;
      into[2 * place + 1] = low;
      return true;
    }
  }

  function grow(): void {
    const wider = new Uint32Array(2 * places.length);
    for (let at = 0; at < places.length; at += 2) {
      const high = places[at] ?? 0;
      const low = places[at + 1] ?? 0;
      if (high !== 0 || low !== 0) insert(wider, high, low);
    }
    places = wider;
  }

  return {
    add(high, low) {
      if (high === 0 && low === 0) {
        const isNew = !hasZero;
        hasZero = true;
        return isNew;
      }
      if (!insert(places, high, low)) return false;
      taken += 1;
      if (3 * taken > places.length) grow();
      return true;
    },
  };
}
