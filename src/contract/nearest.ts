/** Of the words that are known, the one that was probably meant. Pure. */

/** Two letters that changed places are one slip, as one letter too many, too few or wrong: Damerau and Levenshtein. */
export function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      line.push(
        Math.min(
          (above[column - 1] ?? 0) + (same ? 0 : 1),
          (above[column] ?? 0) + 1,
          (line[column - 1] ?? 0) + 1,
          swapped && row > 1 && column > 1 ? (older[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    older = above;
    above = line;
  }
  return above[b.length] ?? 0;
}

/** Null where none is near: at most one slip in three letters, whatever the case and the separators. */
export function nearest(word: string, known: readonly string[]): string | null {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_ ]/gu, '');
  const near = known
    .map((candidate) => ({ candidate, slips: editDistance(plain(word), plain(candidate)) }))
    .filter(({ candidate, slips }) => slips <= Math.max(word.length, candidate.length) / 3)
    .sort((one, other) => one.slips - other.slips);
  return near[0]?.candidate ?? null;
}
