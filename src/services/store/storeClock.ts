/** The store's own clock, as the Date header of its answers tells it: ages do not depend on the clock of this host. */
import type { S3Client } from '@aws-sdk/client-s3';

const datesMs = new WeakMap<object, number>();

/** Keeps the date of each answer beside its `$metadata`. */
export function keepDates(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const dateMs = Date.parse(headersOf(result.response)['date'] ?? '');
      if (result.output !== undefined && !Number.isNaN(dateMs)) datesMs.set(result.output.$metadata, dateMs);
      return result;
    },
    { step: 'deserialize', priority: 'high', name: 'keepDates' },
  );
}

/** When the store gave this answer, to the second; null when it did not say. */
export function dateOf(answer: { readonly $metadata: object }): number | null {
  return datesMs.get(answer.$metadata) ?? null;
}

/** How long ago an object was written, both times by the store; null when it did not say. */
export function ageOf(answer: {
  readonly $metadata: object;
  readonly LastModified?: Date | undefined;
}): number | null {
  const dateMs = dateOf(answer);
  return dateMs === null || answer.LastModified === undefined ? null : dateMs - answer.LastModified.getTime();
}

function headersOf(response: unknown): Readonly<Record<string, string>> {
  return isResponse(response) ? response.headers : {};
}

function isResponse(response: unknown): response is { headers: Record<string, string> } {
  return typeof response === 'object' && response !== null && 'headers' in response;
}
