/** Uploads in parts that nobody will finish: their parts cost space until they are aborted. */
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { isAbsent } from './storeErrors.ts';

/** Aborts what the store dates before now minus `olderThanMs`; returns how many. Give hours: clocks differ. */
export async function abortStaleUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
  olderThanMs: number,
): Promise<number> {
  const before = Date.now() - olderThanMs;
  let aborted = 0;
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
  while (marker !== null) {
    const page: Awaited<ReturnType<typeof listUploads>> = await listUploads(client, bucket, prefix, marker);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (
        Key === undefined ||
        UploadId === undefined ||
        Initiated === undefined ||
        Initiated.getTime() > before
      )
        continue;
      await client
        .send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
        .catch((error: unknown) => {
          // Finished or aborted by somebody else since the listing.
          if (!isAbsent(error)) throw error;
        });
      aborted += 1;
    }
    marker =
      page.IsTruncated === true && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : null;
  }
  return aborted;
}

function listUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
  marker: { KeyMarker?: string; UploadIdMarker?: string },
) {
  return client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...marker }));
}
