/** Entry of a child process that starts a sandbox and waits to be killed. Arguments: toolchain as JSON, marker. */
import { createSandbox, type Toolchain } from '../../src/services/sandbox/index.ts';

const toolchain = JSON.parse(process.argv[2] ?? '') as Toolchain;
const marker = process.argv[3] ?? '';
const sandbox = await createSandbox({ toolchain });
const daemonAndLoop = `
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(0); os.close(1); os.close(2)
        while True: time.sleep(0.05)
    os._exit(0)
print("ready", flush=True)
while True: pass
`;
const running = await sandbox.start({
  command: [toolchain.python, '-I', '-c', daemonAndLoop, marker],
  limits: { wallMs: 120_000, cpuSeconds: 120 },
});
running.stdout.pipe(process.stdout);
await running.done;
