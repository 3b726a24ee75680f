/** Commands that need Temporal alone: the running stack's, else the user's own. */
import { connectCluster, type Cluster } from './connections.ts';
import { exitCodes } from './exit.ts';
import { readSettings } from './settings.ts';
import { findStack } from './stack/stack.ts';
import { StackError } from './stack/stackError.ts';

export async function withCluster(work: (cluster: Cluster) => Promise<void>): Promise<number> {
  const settings = readSettings(process.env);
  const own = settings.temporal && {
    address: settings.temporal.address,
    namespace: settings.temporal.namespace,
    uiUrl: null,
    embedded: false,
  };
  const temporal = (await findStack(settings.state))?.temporal ?? own;
  if (temporal === null)
    throw new StackError(
      'No Temporal is known.',
      'Start the stack with `npx secpi up`, or name your server by TEMPORAL_ADDRESS.',
    );
  const cluster = await connectCluster(settings, { temporal });
  try {
    await work(cluster);
    return exitCodes.ok;
  } finally {
    await cluster.close();
  }
}
