/** Disjoint sets of row numbers in one typed array; the smallest number stands for its set. */
export interface UnionFind {
  /** The first row of the set. */
  find(row: number): number;
  union(left: number, right: number): void;
}

export function createUnionFind(rows: number): UnionFind {
  const parents = new Uint32Array(rows);
  for (let row = 0; row < rows; row += 1) parents[row] = row;
  function find(row: number): number {
    let at = row;
    for (;;) {
      const parent = parents[at] ?? at;
      if (parent === at) return at;
      // Halving the path keeps later searches short.
      const grandparent = parents[parent] ?? parent;
      parents[at] = grandparent;
      at = grandparent;
    }
  }
  return {
    find,
    union(left, right) {
      const a = find(left);
      const b = find(right);
      if (a < b) parents[b] = a;
      else if (b < a) parents[a] = b;
    },
  };
}
