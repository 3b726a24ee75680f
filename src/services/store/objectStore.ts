/**
 * Objects of one S3 bucket: get, conditional writes, files, listing. Knows nothing of what the objects mean.
 * Every failure is an error of the catalogue: STORE_UNAVAILABLE, STORE_ACCESS_DENIED, BUCKET_MISSING, STORE_UNFIT.
 */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { SecpiError } from '../../contract/errors.ts';
import { sendConditional } from './conditional.ts';
import { openDownload, readWhole } from './download.ts';
import type { Download } from './download.ts';
import { hexToBase64, sha256Hex } from './hash.ts';
import { describeFailure, isAbsent, isBeyondEnd, toStoreError } from './storeErrors.ts';
import { abortStaleUploads } from './staleUploads.ts';
import { signByChecksum } from './signing.ts';
import { ageOf, dateOf, keepDates } from './storeClock.ts';
import { uploadFile } from './upload.ts';
import type { UploadedFile, UploadOptions } from './upload.ts';

export interface ObjectStoreOptions {
  /** URL of an S3-compatible server; absent: AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** Put before every key, e.g. `team-a/secpi`. */
  readonly prefix?: string;
  /** Absent: the SDK's default chain (environment, profile, instance role). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Default: true with an endpoint, false without. */
  readonly forcePathStyle?: boolean;
}

export interface StoredSize {
  readonly bytes: number;
  readonly etag: string;
}

export interface FoundObject extends StoredSize {
  /** Since it was written, by the store's clock; null when the store does not tell. */
  readonly ageMs: number | null;
}

export interface ListedObject extends StoredSize {
  readonly key: string;
  readonly lastModified: Date;
}

/** Keys are relative to the store's prefix. */
export interface ObjectStore {
  readonly bucket: string;
  /** `s3://bucket/prefix/key` */
  uriOf(key: string): string;
  /** The key of a URI of this store; null for another bucket or prefix. */
  keyOf(uri: string): string | null;
  /** Reads a small object into memory; null when it is not there. */
  get(key: string): Promise<{ readonly bytes: Buffer; readonly etag: string } | null>;
  /** Reads `bytes` bytes (at least 1) from `start` on, fewer where the object ends before; null when it is not there. */
  getRange(key: string, start: number, bytes: number): Promise<Buffer | null>;
  /** Streams an object, going on where a connection broke; null when it is not there. */
  openStream(key: string, signal?: AbortSignal): Promise<Download | null>;
  head(key: string): Promise<StoredSize | null>;
  /** As `head`, with the object's age. */
  look(key: string): Promise<FoundObject | null>;
  /** `same`: the object was there with these bytes, so an own write whose answer was lost counts as done. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<'created' | 'same' | 'conflict'>;
  /** Writes if the object still has this etag. An own write whose answer was lost counts as replaced. */
  replaceIfMatch(
    key: string,
    bytes: Uint8Array,
    etag: string,
  ): Promise<{ replaced: true; etag: string } | { replaced: false }>;
  /** Uploads a file, replacing what is there, and checks size and checksum that the store reports afterwards. */
  putFile(key: string, path: string, options?: UploadOptions): Promise<UploadedFile>;
  list(prefix: string): AsyncIterable<ListedObject>;
  /** The names under a prefix up to the next slash: folders end with one. The prefix is part of each. */
  listNames(prefix: string): Promise<string[]>;
  /** Deleting what is not there is success. */
  delete(key: string): Promise<void>;
  /**
   * Sends one request and no second: a repeated one, arriving late, would take what somebody wrote in between. After a
   * failure it is not known whether the object is there.
   */
  deleteOnce(key: string): Promise<void>;
  /** The store's clock, in ms since 1970, to the second. STORE_UNFIT when it does not tell. */
  now(): Promise<number>;
  /** Aborts multipart uploads of keys under `keyPrefix` begun longer ago than this; returns how many. */
  abortStaleUploads(keyPrefix: string, olderThanMs: number): Promise<number>;
  /** Checks that the bucket exists; creates it only when asked to. */
  ensureBucket(options?: { readonly create?: boolean }): Promise<void>;
  /** The same server and credentials, another bucket, no prefix: for a user's own `s3://` data. */
  inBucket(bucket: string): ObjectStore;
  /** Closes idle connections. */
  close(): void;
}

/** Attempts of one request inside the SDK; the activities above try again with longer waits. */
const MAX_ATTEMPTS = 5;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection on which nothing moves for so long is given up. */
const IDLE_TIMEOUT_MS = 60_000;
const MAX_SOCKETS = 64;

export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const agent = { maxSockets: MAX_SOCKETS, keepAlive: true };
  const config: S3ClientConfig = {
    region: options.region,
    forcePathStyle: options.forcePathStyle ?? options.endpoint !== undefined,
    maxAttempts: MAX_ATTEMPTS,
    retryMode: 'standard',
    // Checksums are named request by request; bodies read are checked against their SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  const clients = { client: new S3Client(config), once: new S3Client({ ...config, maxAttempts: 1 }) };
  signByChecksum(clients.client);
  keepDates(clients.client);
  return storeOf(clients, options.bucket, normalisePrefix(options.prefix ?? ''));
}

interface Clients {
  readonly client: S3Client;
  /** Sends each request once. */
  readonly once: S3Client;
}

function storeOf(clients: Clients, bucket: string, prefix: string): ObjectStore {
  const { client } = clients;
  const at = (key: string): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: prefix + key });
  const failed = (what: string) => (error: unknown) => {
    throw toStoreError(error, bucket, what);
  };

  const store: ObjectStore = {
    bucket,
    uriOf: (key) => `s3://${bucket}/${prefix}${key}`,
    keyOf(uri) {
      const own = store.uriOf('');
      return uri.startsWith(own) ? uri.slice(own.length) : null;
    },

    async get(key) {
      const download = await store.openStream(key);
      return download === null ? null : { bytes: await readWhole(download), etag: download.etag };
    },

    async getRange(key, start, bytes) {
      try {
        const download = await openDownload(client, at(key), { range: { start, bytes } });
        return download === null ? null : await readWhole(download);
      } catch (error) {
        if (isBeyondEnd(error)) return Buffer.alloc(0);
        throw toStoreError(error, bucket, `Reading ${key}`);
      }
    },

    openStream: (key, signal) => openDownload(client, at(key), { signal }).catch(failed(`Reading ${key}`)),

    async head(key) {
      const found = await store.look(key);
      return found === null ? null : { bytes: found.bytes, etag: found.etag };
    },

    async look(key) {
      try {
        const answer = await client.send(new HeadObjectCommand(at(key)));
        return { bytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '', ageMs: ageOf(answer) };
      } catch (error) {
        if (isAbsent(error)) return null;
        throw toStoreError(error, bucket, `Looking up ${key}`);
      }
    },

    async putIfAbsent(key, bytes) {
      for (;;) {
        const command = () => new PutObjectCommand({ ...at(key), ...bodyOf(bytes), IfNoneMatch: '*' });
        const outcome = await sendConditional(() => client.send(command())).catch(failed(`Creating ${key}`));
        if (outcome.met) return 'created';
        const present = await store.get(key);
        // Deleted between the two requests: the name is free again.
        if (present !== null) return present.bytes.equals(bytes) ? 'same' : 'conflict';
      }
    },

    async replaceIfMatch(key, bytes, etag) {
      const command = () => new PutObjectCommand({ ...at(key), ...bodyOf(bytes), IfMatch: etag });
      const outcome = await sendConditional(() => client.send(command())).catch(failed(`Replacing ${key}`));
      if (outcome.met) return { replaced: true, etag: outcome.value.ETag ?? '' };
      const present = await store.get(key);
      return present?.bytes.equals(bytes) === true
        ? { replaced: true, etag: present.etag }
        : { replaced: false };
    },

    putFile: (key, path, uploadOptions) =>
      uploadFile({ client, ...at(key), path, ...uploadOptions }).catch(failed(`Uploading to ${key}`)),

    async *list(listPrefix) {
      try {
        for await (const page of paginateListObjectsV2(
          { client },
          { Bucket: bucket, Prefix: prefix + listPrefix },
        )) {
          for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
            if (Key === undefined) continue;
            yield {
              key: Key.slice(prefix.length),
              bytes: Size ?? 0,
              etag: ETag ?? '',
              lastModified: LastModified ?? new Date(0),
            };
          }
        }
      } catch (error) {
        throw toStoreError(error, bucket, `Listing ${listPrefix}`);
      }
    },

    async listNames(listPrefix) {
      const names: string[] = [];
      let token: string | undefined;
      do {
        const page = await client
          .send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix + listPrefix,
              Delimiter: '/',
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          )
          .catch(failed(`Listing ${listPrefix}`));
        for (const { Prefix } of page.CommonPrefixes ?? [])
          if (Prefix !== undefined) names.push(Prefix.slice(prefix.length));
        for (const { Key } of page.Contents ?? [])
          if (Key !== undefined) names.push(Key.slice(prefix.length));
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return names;
    },

    async delete(key) {
      await client.send(new DeleteObjectCommand(at(key))).catch((error: unknown) => {
        if (!isAbsent(error)) throw toStoreError(error, bucket, `Deleting ${key}`);
      });
    },

    async deleteOnce(key) {
      await clients.once.send(new DeleteObjectCommand(at(key))).catch((error: unknown) => {
        if (!isAbsent(error)) throw toStoreError(error, bucket, `Deleting ${key}`);
      });
    },

    async now() {
      const answer = await client
        .send(new HeadBucketCommand({ Bucket: bucket }))
        .catch(failed(`Looking up the bucket ${bucket}`));
      const nowMs = dateOf(answer);
      if (nowMs !== null) return nowMs;
      throw new SecpiError('STORE_UNFIT', `The store at ${store.uriOf('')} does not tell the time.`, {
        remedy: 'Reach the store without a proxy that takes the Date header out of its answers.',
      });
    },

    abortStaleUploads: (keyPrefix, olderThanMs) =>
      abortStaleUploads(client, bucket, prefix + keyPrefix, olderThanMs).catch(
        failed('Aborting stale uploads'),
      ),

    async ensureBucket({ create = false } = {}) {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }));
      } catch (error) {
        if (!isAbsent(error)) throw toStoreError(error, bucket, `Looking up the bucket ${bucket}`);
        if (!create)
          throw new SecpiError('BUCKET_MISSING', `The bucket ${bucket} does not exist.`, { cause: error });
        await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((creation: unknown) => {
          if (describeFailure(creation).name === 'BucketAlreadyOwnedByYou') return;
          throw toStoreError(creation, bucket, `Creating the bucket ${bucket}`);
        });
      }
    },

    inBucket: (other) => storeOf(clients, other, ''),
    close: () => {
      client.destroy();
      clients.once.destroy();
    },
  };
  return store;
}

/** The store refuses a body that does not have this SHA-256. */
function bodyOf(bytes: Uint8Array): { Body: Uint8Array; ContentLength: number; ChecksumSHA256: string } {
  return { Body: bytes, ContentLength: bytes.length, ChecksumSHA256: hexToBase64(sha256Hex(bytes)) };
}

function normalisePrefix(prefix: string): string {
  const trimmed = prefix.replaceAll(/^\/+|\/+$/g, '');
  if (trimmed === '') return '';
  if (trimmed.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new SecpiError(
      'RECIPE_INVALID',
      `The key prefix ${JSON.stringify(prefix)} has an empty segment, "." or "..".`,
      {
        remedy: 'Use a prefix like team-a/secpi.',
      },
    );
  }
  return `${trimmed}/`;
}
