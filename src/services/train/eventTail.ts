/** Follows a growing file of JSON lines by offset: each whole line once, half a line when the rest has come. */
import { open } from 'node:fs/promises';
import { SecpiError } from '../../contract/errors.ts';
import { isMissing } from '../processOwner.ts';
import { trainerEventNames, trainerEventSchema, type TrainerEvent } from './trainerProtocol.ts';

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 10;

export interface EventTail {
  /** The events written since the last call; lines that are no events are left out. */
  read(): Promise<TrainerEvent[]>;
}

export function tailEvents(path: string): EventTail {
  let offset = 0;
  let rest = Buffer.alloc(0);

  async function readNew(): Promise<Buffer> {
    const file = await open(path, 'r');
    try {
      const chunks: Buffer[] = [];
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, offset);
        if (bytesRead === 0) return Buffer.concat(chunks);
        offset += bytesRead;
        chunks.push(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }

  return {
    async read() {
      let bytes: Buffer;
      try {
        bytes = await readNew();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
      if (bytes.length === 0) return [];
      const all = Buffer.concat([rest, bytes]);
      const end = all.lastIndexOf(NEWLINE) + 1;
      rest = Buffer.from(all.subarray(end));
      return all.toString('utf8', 0, end).split('\n').flatMap(eventIn);
    },
  };
}

function eventIn(line: string): TrainerEvent[] {
  const value = tryJson(line);
  if (typeof value !== 'object' || value === null || !('event' in value)) return [];
  if (typeof value.event !== 'string' || !trainerEventNames.has(value.event)) return [];
  const event = trainerEventSchema.safeParse(value);
  if (event.success) return [event.data];
  throw new SecpiError(
    'INTERNAL',
    `the trainer said what the protocol does not allow: ${line.slice(0, 300)}`,
    {
      cause: event.error,
    },
  );
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null; // a library wrote it
  }
}
