/** Commands that need the store alone: the running stack's, else the user's own. */
import type { Store } from '../services/store/index.ts';
import { connectStore } from './connections.ts';
import { exitCodes } from './exit.ts';
import { watchInterrupts } from './interrupt.ts';
import { readSettings, type Settings } from './settings.ts';
import { findStack } from './stack/stack.ts';
import { StackError } from './stack/stackError.ts';

export async function withStore(work: (store: Store, signal: AbortSignal) => Promise<void>): Promise<number> {
  const interruption = watchInterrupts(() => undefined);
  try {
    const store = await openKnownStore(readSettings(process.env));
    try {
      await work(store, interruption.signal);
      return exitCodes.ok;
    } finally {
      store.objects.close();
    }
  } finally {
    interruption.dispose();
  }
}

/** The caller closes it. Throws StackError where none is known. */
export async function openKnownStore(settings: Settings): Promise<Store> {
  const s3 = (await findStack(settings.state))?.s3 ?? (settings.s3 && { ...settings.s3, embedded: false });
  if (s3 === null)
    throw new StackError(
      'No store is known.',
      'Start the stack with `npx secpi up`, or name your store by AWS_ENDPOINT_URL_S3 and SECPI_BUCKET.',
    );
  return await connectStore(settings, { s3 });
}
