/** What the store holds: artefacts by kind, published and being made. */
import { artifactHeadSchema, type ArtifactHead, type Manifest } from '../../contract/manifest.ts';
import { artifactKindSchema, type ArtifactKind } from '../../contract/refs.ts';
import type { Store } from '../store/index.ts';
import { isDamage } from '../store/blobs.ts';
import { parseStored } from '../store/heads.ts';
import { mapLimit } from '../store/parallel.ts';

export interface ListedArtifact {
  readonly uri: string;
  readonly kind: ArtifactKind;
  readonly fingerprint: string;
  /** `damaged`: the head or its manifest cannot be read; `verify` says what is wrong. */
  readonly state: 'published' | 'building' | 'damaged';
  /** ISO 8601: when it was published, or taken by the run that makes it. Null where it is damaged. */
  readonly at: string | null;
  /** Of the run that made it, or makes it. */
  readonly workflowId: string | null;
  /** Null while it is not published. */
  readonly rows: number | null;
  /** Of its parts and files; blobs that other artefacts share count in each. */
  readonly bytes: number | null;
}

const REQUESTS_AT_ONCE = 16;

/** Newest first; of one kind where one is named. */
export async function listArtifacts(
  store: Pick<Store, 'objects' | 'artifacts'>,
  kind?: ArtifactKind,
): Promise<ListedArtifact[]> {
  const ids: { readonly kind: ArtifactKind; readonly fingerprint: string; readonly key: string }[] = [];
  for await (const { key } of store.objects.list(kind === undefined ? 'artifacts/' : `artifacts/${kind}/`)) {
    const [, of, fingerprint] = /^artifacts\/([a-z]+)\/([0-9a-f]{64})\/head\.json$/u.exec(key) ?? [];
    const known = artifactKindSchema.safeParse(of);
    if (known.success && fingerprint !== undefined) ids.push({ kind: known.data, fingerprint, key });
  }
  const listed = await mapLimit(ids, REQUESTS_AT_ONCE, async (id) => await describe(store, id));
  return listed.sort((a, b) => ((a.at ?? '') > (b.at ?? '') ? -1 : 1));
}

async function describe(
  { objects, artifacts }: Pick<Store, 'objects' | 'artifacts'>,
  {
    kind,
    fingerprint,
    key,
  }: { readonly kind: ArtifactKind; readonly fingerprint: string; readonly key: string },
): Promise<ListedArtifact> {
  const uri = objects.uriOf(key.replace(/\/head\.json$/u, ''));
  const id = { uri, kind, fingerprint };
  try {
    const head = await readHead(objects, key);
    const at = head?.updatedAt ?? null;
    const workflowId = head?.owner.workflowId ?? null;
    const manifest = await artifacts.read(kind, fingerprint);
    if (manifest === null) return { ...id, state: 'building', at, workflowId, rows: null, bytes: null };
    return { ...id, state: 'published', at, workflowId, rows: manifest.rows, bytes: bytesOf(manifest) };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { ...id, state: 'damaged', at: null, workflowId: null, rows: null, bytes: null };
  }
}

async function readHead(objects: Store['objects'], key: string): Promise<ArtifactHead | null> {
  const found = await objects.get(key);
  return found === null ? null : parseStored(artifactHeadSchema, found.bytes, objects.uriOf(key));
}

/** Each blob once. */
export function bytesOf({ parts, files }: Pick<Manifest, 'parts' | 'files'>): number {
  const blobs = new Map(
    [...Object.values(parts).flat(), ...files].map(({ sha256, bytes }) => [sha256, bytes]),
  );
  return [...blobs.values()].reduce((sum, bytes) => sum + bytes, 0);
}
