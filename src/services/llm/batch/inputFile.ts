/** The input file of a batch: one JSON line a request, and the split of many requests into files. Pure. */
import type { ChatRequest } from '../chat.ts';
import { bodySerialiser } from '../requestBody.ts';
import type { BodyOptions } from '../wire.ts';

export interface KeyedRequest {
  /** The request key; the line's `custom_id`. */
  readonly key: string;
  readonly rowId: string;
  readonly index: number;
  /** Holds the index too. */
  readonly chat: ChatRequest;
}

/** One line with its newline: the body is what the chat path would send. */
export function inputLines(body: BodyOptions): (request: KeyedRequest) => string {
  const serialise = bodySerialiser(body);
  return ({ key, chat }) =>
    `{"custom_id":"${key}","method":"POST","url":"/v1/chat/completions","body":${serialise(chat)}}\n`;
}

export interface SplitLimits {
  readonly maxRequests: number;
  readonly maxFileBytes: number;
}

export interface Split {
  readonly parts: readonly (readonly KeyedRequest[])[];
  /** Requests that no file may hold. */
  readonly tooLarge: readonly KeyedRequest[];
}

/**
 * Fills files in order. Depends on nothing but the requests: what the ledger already has is split too, so that a run
 * that goes on finds the files, and so the batches, of the one before.
 */
export function splitRequests(
  requests: readonly KeyedRequest[],
  body: BodyOptions,
  { maxRequests, maxFileBytes }: SplitLimits,
): Split {
  const parts: KeyedRequest[][] = [];
  const tooLarge: KeyedRequest[] = [];
  const lineOf = inputLines(body);
  let current: KeyedRequest[] = [];
  let bytes = 0;
  for (const request of requests) {
    const lineBytes = Buffer.byteLength(lineOf(request));
    if (lineBytes > maxFileBytes) {
      tooLarge.push(request);
      continue;
    }
    if (current.length === maxRequests || bytes + lineBytes > maxFileBytes) {
      parts.push(current);
      current = [];
      bytes = 0;
    }
    current.push(request);
    bytes += lineBytes;
  }
  if (current.length > 0) parts.push(current);
  return { parts, tooLarge };
}
