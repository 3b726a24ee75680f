/** `secpi runs`: what runs and ran, by Temporal's visibility. */
import { listRuns, type RunsWanted } from '../runs/list.ts';
import { showRuns } from '../runs/show.ts';
import { createOutput } from '../traces/output.ts';
import { asciiControls } from '../traces/show.ts';
import { withCluster } from '../withCluster.ts';

export interface RunsOptions extends RunsWanted {
  readonly json: boolean;
}

export async function runs(options: RunsOptions): Promise<number> {
  return await withCluster(async ({ client }) => {
    const found = await listRuns(client, options);
    await createOutput(process.stdout).line(
      options.json ? asciiControls(JSON.stringify(found)) : showRuns(found, Date.now()),
    );
  });
}
