/** The records of a series in the store: one object a benchmark and night, written once. */
import { SecpiError } from '../../contract/errors.ts';
import { nightRecordSchema, type NightRecord } from '../../contract/workflows.ts';
import { evaluationKey, evaluationsPrefix, type ObjectStore } from '../store/index.ts';
import { mapLimit } from '../store/parallel.ts';

const REQUESTS_AT_ONCE = 16;

export interface StoredNight {
  readonly record: NightRecord;
  readonly uri: string;
}

export interface Series {
  /** All nights, the oldest first. BLOB_CORRUPT where an object is no record. */
  read(): Promise<StoredNight[]>;
  /**
   * Keeps a record under its time. Where the same run has kept one, that one holds: a night never counts twice. Where
   * another run has begun at the same millisecond, the record moves to the next free one.
   */
  keep(record: NightRecord): Promise<StoredNight>;
}

type Store = Pick<ObjectStore, 'get' | 'list' | 'putIfAbsent' | 'uriOf'>;

export function openSeries(objects: Store, series: string): Series {
  const at = async (key: string): Promise<StoredNight | null> => {
    const found = await objects.get(key);
    const uri = objects.uriOf(key);
    return found === null ? null : { record: parse(found.bytes, uri), uri };
  };
  return {
    async read() {
      const keys: string[] = [];
      for await (const { key } of objects.list(evaluationsPrefix(series))) keys.push(key);
      const nights = await mapLimit(keys, REQUESTS_AT_ONCE, at);
      return nights
        .filter((night) => night !== null)
        .toSorted((a, b) => Date.parse(a.record.at) - Date.parse(b.record.at));
    },
    async keep(record) {
      for (let time = Date.parse(record.at); ; time += 1) {
        const moved = nightRecordSchema.parse({ ...record, at: new Date(time).toISOString() });
        const key = evaluationKey(series, moved.at, moved.benchmark);
        const bytes = Buffer.from(`${JSON.stringify(moved)}\n`);
        if ((await objects.putIfAbsent(key, bytes)) !== 'conflict')
          return { record: moved, uri: objects.uriOf(key) };
        const holding = await at(key);
        if (holding !== null && isOfSameRun(holding.record, record)) return holding;
      }
    },
  };
}

/** Retries and resets of a run share its first run's id. */
export function isOfSameRun(
  a: Pick<NightRecord, 'workflowId' | 'firstRunId'>,
  b: Pick<NightRecord, 'workflowId' | 'firstRunId'>,
): boolean {
  return a.workflowId === b.workflowId && a.firstRunId === b.firstRunId;
}

function parse(bytes: Buffer, uri: string): NightRecord {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new SecpiError('BLOB_CORRUPT', `${uri} is not JSON.`, { cause });
  }
  const parsed = nightRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SecpiError(
    'BLOB_CORRUPT',
    `${uri} is no record of a night: ${parsed.error.issues[0]?.message}.`,
    {
      cause: parsed.error,
    },
  );
}
