/**
 * Merges small segments of a space into bigger ones, so that opening it does not read one index per flush for ever.
 * Safe beside readers, writers, other compactions and kills; why is told in DESIGN.md.
 */
import { sha256Hex } from '../../store/hash.ts';
import { mapLimit } from '../../store/parallel.ts';
import { sourcesOf, type IndexedSegment } from './keyIndex.ts';
import { encodeSegment, type SegmentLine } from './segment.ts';
import type { SegmentSource } from './segmentIndex.ts';
import { isMissing, type SegmentStore } from './segmentStore.ts';

export interface CompactionLimits {
  /** A segment with so many rows, or so many bytes uncompressed, is not merged any more. */
  readonly minRows: number;
  readonly minBytes: number;
}

export interface Compacted {
  /** Small segments that are gone. */
  readonly merged: number;
  /** Segments made of them. */
  readonly into: number;
}

/** `merged-<generation>-<hash>`: sorts after journals (digits) and after merged segments of earlier generations. */
const MERGED_NAME = /^merged-(\d{6})-[0-9a-f]{12}$/;

/** Requests to the store at once. */
const PARALLEL = 16;

export async function compactSegments(store: SegmentStore, limits: CompactionLimits): Promise<Compacted> {
  await store.refresh();
  let merged = await deleteMerged(store);
  let into = 0;
  for (const group of groupsOf(store.index.segments, limits)) {
    if (!(await merge(store, group))) continue;
    into += 1;
    merged += await deleteMerged(store);
  }
  return { merged, into };
}

/** Runs of small segments, each just big enough together. */
function groupsOf(segments: readonly IndexedSegment[], limits: CompactionLimits): IndexedSegment[][] {
  const groups: IndexedSegment[][] = [];
  let group: IndexedSegment[] = [];
  let rows = 0;
  let bytes = 0;
  for (const segment of [...segments].sort(byName)) {
    const { rows: ownRows, lineBytes } = segment.index;
    if (ownRows >= limits.minRows || lineBytes >= limits.minBytes) continue;
    if (group.length === 0) groups.push(group);
    group.push(segment);
    rows += ownRows;
    bytes += lineBytes;
    if (rows < limits.minRows && bytes < limits.minBytes) continue;
    group = [];
    rows = 0;
    bytes = 0;
  }
  return groups.filter(({ length }) => length > 1);
}

const byName = (one: IndexedSegment, other: IndexedSegment): number => (one.name < other.name ? -1 : 1);

/** False when another compaction was quicker. */
async function merge(store: SegmentStore, group: readonly IndexedSegment[]): Promise<boolean> {
  const lines: SegmentLine[] = [];
  const sources: SegmentSource[] = [];
  const names = new Set<string>();
  try {
    const contents = await mapLimit(group, PARALLEL, async (segment) => ({
      segment,
      own: await store.linesOf(segment),
    }));
    for (const { segment, own } of contents) {
      let row = 0;
      for (const source of sourcesOf(segment)) {
        const rows = own.slice(row, (row += source.rows));
        if (names.has(source.name)) continue;
        names.add(source.name);
        sources.push(source);
        for (const line of rows) lines.push(line);
      }
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
    await store.refresh();
    if (group.every(({ name }) => store.index.successorOf(name) === null)) throw error;
    return false;
  }
  const encoded = await encodeSegment(lines, sources);
  const generation = 1 + Math.max(...group.map(({ name }) => Number(MERGED_NAME.exec(name)?.[1] ?? 0)));
  const hash = sha256Hex(encoded.index).slice(0, 12);
  await store.write(`merged-${String(generation).padStart(6, '0')}-${hash}`, encoded);
  return true;
}

/** Deletes the segments whose rows are all in a merged one, once that reads back. */
async function deleteMerged(store: SegmentStore): Promise<number> {
  const verified = new Set<IndexedSegment>();
  const spare: { readonly name: string; readonly published: boolean }[] = [];
  for (const listed of await store.list()) {
    const successor = store.index.successorOf(listed.name);
    if (successor === null) continue;
    if (!verified.has(successor)) await store.verify(successor);
    verified.add(successor);
    spare.push(listed);
  }
  await mapLimit(spare, PARALLEL, async ({ name }) => await store.delete(name));
  return spare.filter(({ published }) => published).length;
}
