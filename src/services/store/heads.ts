/**
 * Heads: one small object a thing, saying who may write it. Taking over raises the epoch, and every later write is
 * conditional on the head as it was read, so a writer that was taken for dead loses. See DESIGN.md beside this file.
 */
import type { z } from 'zod';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import type { Owner } from '../../contract/refs.ts';
import { canonicalJson } from './canonicalJson.ts';
import type { ObjectStore } from './objectStore.ts';

export interface Head {
  readonly epoch: number;
  readonly owner: Owner;
  readonly updatedAt: string;
}

/** Asks Temporal whether the run that holds a head still goes on. */
export type IsOwnerAlive = (owner: Owner) => Promise<boolean>;

/** Rounds of read and conditional write before contention counts as an outage. */
const MAX_ROUNDS = 32;

interface HeadPlace<H extends Head> {
  readonly store: ObjectStore;
  readonly key: string;
  readonly schema: z.ZodType<H>;
}

export type HeadClaim<H> =
  | { readonly status: 'owned'; readonly head: H }
  | { readonly status: 'closed'; readonly head: H }
  | { readonly status: 'busy'; readonly owner: Owner };

interface ClaimRequest<H extends Head> extends HeadPlace<H> {
  readonly owner: Owner;
  readonly isOwnerAlive: IsOwnerAlive;
  /** The head as the new owner writes it; `previous` is null for the first. */
  readonly next: (base: Head, previous: H | null) => H;
  /** True for a head that nobody takes over any more. */
  readonly isClosed: (head: H) => boolean;
}

export async function readHead<H extends Head>({
  store,
  key,
  schema,
}: HeadPlace<H>): Promise<{ head: H; etag: string } | null> {
  const found = await store.get(key);
  return found === null
    ? null
    : { head: parseStored(schema, found.bytes, store.uriOf(key)), etag: found.etag };
}

/**
 * Makes `owner` the writer unless a living one is. An owner that claims again (its first answer was lost) has its
 * own epoch back. The epoch rises by one with each new owner.
 */
export async function claimHead<H extends Head>(request: ClaimRequest<H>): Promise<HeadClaim<H>> {
  const { store, key, owner } = request;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const current = await readHead(request);
    if (current !== null && request.isClosed(current.head)) return { status: 'closed', head: current.head };
    if (current !== null && sameOwner(current.head.owner, owner))
      return { status: 'owned', head: current.head };
    if (current !== null && (await request.isOwnerAlive(current.head.owner)))
      return { status: 'busy', owner: current.head.owner };
    const base = { epoch: (current?.head.epoch ?? 0) + 1, owner, updatedAt: new Date().toISOString() };
    const head = request.next(base, current?.head ?? null);
    const written =
      current === null
        ? (await store.putIfAbsent(key, storedForm(head))) !== 'conflict'
        : (await store.replaceIfMatch(key, storedForm(head), current.etag)).replaced;
    if (written) return { status: 'owned', head };
  }
  throw contended(store.uriOf(key));
}

/**
 * Changes a head as the writer of `epoch`; HEAD_FENCED when another epoch holds. `change` returns the new head, or
 * null when the head says already what it should; it may be called again on a newer head.
 */
export async function updateHead<H extends Head>(
  place: HeadPlace<H> & { readonly epoch: number; readonly change: (head: H) => H | null },
): Promise<H> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const current = await readHeadAs(place);
    const head = place.change(current.head);
    if (head === null) return current.head;
    if ((await place.store.replaceIfMatch(place.key, storedForm(head), current.etag)).replaced) return head;
  }
  throw contended(place.store.uriOf(place.key));
}

/** The head, if this epoch is the one that holds it; else HEAD_FENCED. */
export async function readHeadAs<H extends Head>(
  place: HeadPlace<H> & { readonly epoch: number },
): Promise<{ head: H; etag: string }> {
  const current = await readHead(place);
  if (current?.head.epoch === place.epoch) return current;
  const holder =
    current === null
      ? 'there is no head'
      : `epoch ${current.head.epoch} of ${current.head.owner.workflowId} holds it`;
  throw new SecpiError(
    'HEAD_FENCED',
    `Epoch ${place.epoch} may not write ${place.store.uriOf(place.key)}: ${holder}.`,
  );
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return (
    a.namespace === b.namespace &&
    a.workflowId === b.workflowId &&
    a.runId === b.runId &&
    a.writer === b.writer
  );
}

/** The bytes of a head, manifest or shard record. */
export function storedForm(value: unknown): Buffer {
  return Buffer.from(`${canonicalJson(value)}\n`);
}

/** Reads what `storedForm` wrote. BLOB_CORRUPT when it does not fit. */
export function parseStored<T>(schema: z.ZodType<T>, bytes: Buffer, uri: string): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new SecpiError('BLOB_CORRUPT', `${uri} does not hold what it should: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function contended(uri: string): SecpiError {
  return new SecpiError('STORE_UNAVAILABLE', `${uri} was changed by others ${MAX_ROUNDS} times in a row.`);
}
