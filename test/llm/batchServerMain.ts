/** Entry of the batch server in a process of its own: `batchServerMain.ts SCENARIO_JSON`. */
import { startBatchServer, type Scenario } from './batchServer.ts';

const server = await startBatchServer(JSON.parse(process.argv[2] ?? '{}') as Scenario);
process.send?.(server.url);
// The parent is gone: nobody is left to stop this server.
process.on('disconnect', () => process.exit(0));
