/** What a host's Python says: a JSON object a line; bytes of the child travel as latin-1. */
import { z } from 'zod';

const messageSchema = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ out: z.string() }),
  z.strictObject({ err: z.string() }),
  z.strictObject({ ended: z.string(), status: z.int(), spent: z.boolean() }),
]);
export type HostMessage = z.infer<typeof messageSchema>;

/** A chunk of 64 KiB, each byte spelled out. */
export const MAX_MESSAGE_BYTES = 1024 ** 2;

/** Null: its only writer is not what it was. */
export function parseHostMessage(line: string): HostMessage | null {
  try {
    return messageSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
