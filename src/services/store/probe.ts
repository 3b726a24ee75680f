/** Proves at start that the store honours conditional writes; without them two writers could both win. */
import { randomUUID } from 'node:crypto';
import { SecpiError } from '../../contract/errors.ts';
import { probePrefix } from './keys.ts';
import type { ObjectStore } from './objectStore.ts';

const WRITERS = 8;
const NO_SUCH_ETAG = '"00000000000000000000000000000000"';

/** STORE_UNFIT, naming the condition that the store does not honour. Writes a few bytes under `probe/`, and deletes them. */
export async function probeStore(store: ObjectStore): Promise<void> {
  const folder = `${probePrefix}${randomUUID()}`;
  const created = `${folder}/created`;
  const absent = `${folder}/absent`;
  const raced = `${folder}/raced`;
  const bytes = (text: string): Buffer => Buffer.from(text);
  try {
    await expectTo('If-None-Match: *', async () => {
      const first = await store.putIfAbsent(created, bytes('first'));
      return first !== 'conflict' && (await store.putIfAbsent(created, bytes('second'))) === 'conflict';
    });
    await expectTo('If-Match with an outdated ETag', async () => {
      const before = await store.head(created);
      if (before === null || (await store.replaceIfMatch(created, bytes('wrong'), NO_SUCH_ETAG)).replaced)
        return false;
      const current = await store.replaceIfMatch(created, bytes('third'), before.etag);
      return (
        current.replaced && !(await store.replaceIfMatch(created, bytes('fourth'), before.etag)).replaced
      );
    });
    await expectTo('If-Match on an object that does not exist', async () => {
      const { replaced } = await store.replaceIfMatch(absent, bytes('anything'), NO_SUCH_ETAG);
      return !replaced && (await store.head(absent)) === null;
    });
    await expectTo(`If-None-Match: * under a race of ${WRITERS} writers`, async () => {
      const outcomes = await race((writer) => store.putIfAbsent(raced, bytes(`created by ${writer}`)));
      return outcomes.filter((outcome) => outcome !== 'conflict').length === 1;
    });
    await expectTo(`If-Match under a race of ${WRITERS} writers`, async () => {
      const etag = (await store.head(raced))?.etag ?? '';
      const outcomes = await race((writer) =>
        store.replaceIfMatch(raced, bytes(`replaced by ${writer}`), etag),
      );
      return outcomes.filter(({ replaced }) => replaced).length === 1;
    });
  } finally {
    for (const key of [created, absent, raced]) await store.delete(key);
  }

  async function expectTo(condition: string, isHonoured: () => Promise<boolean>): Promise<void> {
    if (await isHonoured()) return;
    throw new SecpiError('STORE_UNFIT', `The store at ${store.uriOf('')} does not honour ${condition}.`);
  }
}

function race<T>(write: (writer: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}
