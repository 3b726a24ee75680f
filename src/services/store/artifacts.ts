/** Artefacts: blobs plus a manifest under a fingerprint, with one writer at a time, published once. */
import { SecpiError } from '../../contract/errors.ts';
import { artifactHeadSchema, manifestSchema, shardRecordSchema } from '../../contract/manifest.ts';
import type { ArtifactHead, Manifest, ShardRecord } from '../../contract/manifest.ts';
import { artifactKindSchema, sha256Schema } from '../../contract/refs.ts';
import type { ArtifactKind, ArtifactRef, BlobRef, Owner } from '../../contract/refs.ts';
import { BLOB_OLD_AFTER_MS, type Blobs } from './blobs.ts';
import { outlast } from './gc/condemned.ts';
import { sha256Hex } from './hash.ts';
import { claimHead, parseStored, readHead, readHeadAs, sameOwner, storedForm, updateHead } from './heads.ts';
import type { IsOwnerAlive } from './heads.ts';
import {
  artifactHeadKey,
  artifactManifestKey,
  artifactPrefix,
  handoverKey,
  shardKey,
  shardsPrefix,
} from './keys.ts';
import type { ObjectStore } from './objectStore.ts';
import { mapLimit } from './parallel.ts';

interface ArtifactId {
  readonly kind: ArtifactKind;
  readonly fingerprint: string;
}

export type ArtifactClaim =
  | { readonly status: 'owned'; readonly epoch: number }
  | { readonly status: 'published'; readonly manifest: Manifest; readonly ref: ArtifactRef }
  | { readonly status: 'busy'; readonly owner: Owner };

export interface Artifacts {
  /** Asks to be the writer. `published`: the work is done. `busy`: a living run does it; wait and ask again. */
  claim(
    request: ArtifactId & { readonly owner: Owner; readonly isOwnerAlive: IsOwnerAlive },
  ): Promise<ArtifactClaim>;
  /**
   * Publishes after every blob named was found with its size; returns the ref of the manifest that holds, which is
   * an earlier attempt's if this owner published under this epoch before. HEAD_FENCED, BLOB_MISSING, BLOB_CORRUPT.
   */
  publish(
    request: ArtifactId & { readonly epoch: number; readonly owner: Owner; readonly manifest: Manifest },
  ): Promise<ArtifactRef>;
  /** The published manifest; null while there is none. */
  read(kind: ArtifactKind, fingerprint: string): Promise<Manifest | null>;
  /** ARTIFACT_NOT_FOUND when the URI names no published artefact of this store. */
  readByUri(uri: string): Promise<Manifest>;
  refOf(manifest: Manifest): ArtifactRef;
  /** Keeps the record of a finished shard; the first writer wins. Returns the record that holds. */
  putShard(kind: ArtifactKind, fingerprint: string, record: ShardRecord): Promise<ShardRecord>;
  /** Keeps a blob that only a workflow's history names, until the artefact is published. */
  keepHandover(kind: ArtifactKind, fingerprint: string, blob: BlobRef): Promise<void>;
  getShard(kind: ArtifactKind, fingerprint: string, index: number): Promise<ShardRecord | null>;
  /** The records kept, in the order of their index. */
  listShards(kind: ArtifactKind, fingerprint: string): Promise<ShardRecord[]>;
}

/** Small requests in flight at once. */
const REQUESTS_AT_ONCE = 16;

export function createArtifacts(store: ObjectStore, blobs: Blobs): Artifacts {
  const headPlace = ({ kind, fingerprint }: ArtifactId) => ({
    store,
    key: artifactHeadKey(kind, fingerprint),
    schema: artifactHeadSchema,
  });

  const refOf = (manifest: Manifest): ArtifactRef => ({
    kind: manifest.kind,
    uri: store.uriOf(artifactPrefix(manifest.kind, manifest.fingerprint)),
    fingerprint: manifest.fingerprint,
    contentSha256: manifest.contentSha256,
    rows: manifest.rows,
  });

  async function manifestOf(head: Extract<ArtifactHead, { state: 'published' }>): Promise<Manifest> {
    const { key, uri, sha256 } = head.manifest;
    const found = await store.get(key);
    if (found === null) throw new SecpiError('BLOB_MISSING', `The manifest ${uri} is not there.`);
    if (sha256Hex(found.bytes) !== sha256)
      throw new SecpiError('BLOB_CORRUPT', `The manifest ${uri} was changed.`);
    return parseStored(manifestSchema, found.bytes, uri);
  }

  async function shardAt(key: string): Promise<ShardRecord | null> {
    const found = await store.get(key);
    return found === null ? null : parseStored(shardRecordSchema, found.bytes, store.uriOf(key));
  }

  /** Returns those that a garbage collection might be about to delete, if nothing names them yet. */
  async function checkBlobs(manifest: Manifest): Promise<BlobRef[]> {
    const named = [...Object.values(manifest.parts).flat(), ...manifest.files];
    const unique = new Map<string, BlobRef>(named.map((ref) => [`${ref.sha256}/${ref.bytes}`, ref]));
    await outlast(
      store,
      named.map(({ sha256 }) => sha256),
    );
    const found = await mapLimit([...unique.values()], REQUESTS_AT_ONCE, async (ref) => ({
      ref,
      ageMs: (await blobs.check(ref)).ageMs,
    }));
    return found.flatMap(({ ref, ageMs }) => (ageMs === null || ageMs > BLOB_OLD_AFTER_MS ? [ref] : []));
  }

  const artifacts: Artifacts = {
    async claim({ owner, isOwnerAlive, ...id }) {
      const claim = await claimHead<ArtifactHead>({
        ...headPlace(id),
        owner,
        isOwnerAlive,
        next: (base) => ({ ...base, state: 'building' }),
        isClosed: (head) => head.state === 'published',
      });
      if (claim.status === 'busy') return claim;
      if (claim.head.state === 'building') return { status: 'owned', epoch: claim.head.epoch };
      const manifest = await manifestOf(claim.head);
      return { status: 'published', manifest, ref: refOf(manifest) };
    },

    async publish({ kind, fingerprint, epoch, owner, manifest }) {
      const place = { ...headPlace({ kind, fingerprint }), epoch };
      refuseForeign(manifest, { kind, fingerprint, epoch });
      const { head } = await readHeadAs(place);
      if (!sameOwner(head.owner, owner))
        throw new SecpiError('HEAD_FENCED', `Epoch ${epoch} of ${store.uriOf(place.key)} is not this run's.`);
      if (head.state === 'published') return refOf(await manifestOf(head));

      // An earlier attempt may have written its manifest and died before the head: then that one is published.
      const key = artifactManifestKey(kind, fingerprint, epoch);
      let old = await checkBlobs(manifest);
      const bytes = storedForm(manifestSchema.parse(manifest));
      const written = await store.putIfAbsent(key, bytes);
      const holding = written === 'conflict' ? ((await store.get(key))?.bytes ?? bytes) : bytes;
      const uri = store.uriOf(key);
      if (written === 'conflict') old = await checkBlobs(parseStored(manifestSchema, holding, uri));
      // Named by the manifest from here on: a collection that did not see it yet is waited for.
      await blobs.settle(old);

      const published = await updateHead<ArtifactHead>({
        ...place,
        change: (current) =>
          current.state === 'published'
            ? null
            : {
                epoch,
                owner,
                updatedAt: new Date().toISOString(),
                state: 'published',
                manifest: { key, uri, sha256: sha256Hex(holding), bytes: holding.length },
              },
      });
      if (published.state === 'building') throw new SecpiError('INTERNAL', `${uri} was not published.`);
      return refOf(await manifestOf(published));
    },

    async read(kind, fingerprint) {
      const current = await readHead(headPlace({ kind, fingerprint }));
      return current?.head.state === 'published' ? manifestOf(current.head) : null;
    },

    async readByUri(uri) {
      const [folder, kind, fingerprint, ...rest] = store.keyOf(uri.replace(/\/$/, ''))?.split('/') ?? [];
      const id = {
        kind: artifactKindSchema.safeParse(kind),
        fingerprint: sha256Schema.safeParse(fingerprint),
      };
      if (folder !== 'artifacts' || rest.length > 0 || !id.kind.success || !id.fingerprint.success) {
        throw new SecpiError('ARTIFACT_NOT_FOUND', `${uri} does not name an artefact of ${store.uriOf('')}.`);
      }
      const manifest = await artifacts.read(id.kind.data, id.fingerprint.data);
      if (manifest === null) throw new SecpiError('ARTIFACT_NOT_FOUND', `Nothing is published at ${uri}.`);
      return manifest;
    },

    refOf,

    async putShard(kind, fingerprint, record) {
      const bytes = storedForm(shardRecordSchema.parse(record));
      await blobs.requireYoung(Object.values(record.parts));
      const written = await store.putIfAbsent(shardKey(kind, fingerprint, record.index), bytes);
      return written === 'conflict'
        ? ((await artifacts.getShard(kind, fingerprint, record.index)) ?? record)
        : record;
    },

    async keepHandover(kind, fingerprint, blob) {
      await blobs.requireYoung([blob]);
      await store.putIfAbsent(handoverKey(kind, fingerprint, blob.sha256), storedForm(blob));
    },

    getShard: (kind, fingerprint, index) => shardAt(shardKey(kind, fingerprint, index)),

    async listShards(kind, fingerprint) {
      const keys: string[] = [];
      for await (const { key } of store.list(shardsPrefix(kind, fingerprint))) keys.push(key);
      const records = await mapLimit(keys, REQUESTS_AT_ONCE, shardAt);
      return records.filter((record) => record !== null).sort((a, b) => a.index - b.index);
    },
  };
  return artifacts;
}

function refuseForeign(manifest: Manifest, id: ArtifactId & { readonly epoch: number }): void {
  if (manifest.kind === id.kind && manifest.fingerprint === id.fingerprint && manifest.epoch === id.epoch)
    return;
  throw new SecpiError(
    'INTERNAL',
    `The manifest of ${manifest.kind}/${manifest.fingerprint} (epoch ${manifest.epoch}) was given for another head.`,
  );
}
