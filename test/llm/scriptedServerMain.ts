/** Entry of the scripted server in a process of its own: `scriptedServerMain.ts MODULE_URL [ARGS…]`. */
import { startScriptedServer, type Script } from './scriptedServer.ts';

const [moduleUrl = '', ...args] = process.argv.slice(2);
const { makeScript } = (await import(moduleUrl)) as { makeScript: (args: readonly string[]) => Script };
const server = await startScriptedServer(makeScript(args));
process.send?.(server.url);
// The parent is gone: nobody is left to stop this server.
process.on('disconnect', () => process.exit(0));
