/** Runs the hostile programs in a sandbox and returns what went wrong, so that another process can run it too. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSandbox,
  type Sandbox,
  type Toolchain,
  type WorkDir,
} from '../../src/services/sandbox/index.ts';
import { type Canaries, type Findings, type HostileProgram } from './hostilePrograms.ts';

export interface Conformance extends AsyncDisposable {
  /** Problems: containment, canaries touched, or the sandbox not working afterwards. Empty when contained. */
  readonly attack: (program: HostileProgram) => Promise<readonly string[]>;
  readonly sandbox: Sandbox;
}

export async function openConformance(
  toolchain: Toolchain,
  open: () => Promise<Sandbox> = async () => await createSandbox({ toolchain }),
): Promise<Conformance> {
  const sandbox = await open();
  const folder = await mkdtemp(join(tmpdir(), 'secpi-canary-'));
  const filePath = join(folder, 'file');
  await writeFile(filePath, 'untouched');
  const connections = { count: 0 };
  const socketPath = join(folder, 'socket');
  const abstractSocket = `secpi-canary-${process.pid}`;
  const tcp = await listen(connections, 0);
  const servers = [
    tcp,
    await listen(connections, socketPath),
    await listen(connections, `\0${abstractSocket}`),
  ];
  const address = tcp.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const victim = spawn('sleep', ['600'], { env: { SECPI_CANARY: 'secret' }, stdio: 'ignore' });
  if (victim.pid === undefined) throw new Error('no victim');
  const canaries: Canaries = {
    secret: 'secret',
    tcpPort: address.port,
    socketPath,
    abstractSocket,
    filePath,
    processId: victim.pid,
  };

  const attack = async (program: HostileProgram): Promise<readonly string[]> => {
    const problems: string[] = [];
    const work: WorkDir | null = program.writableWork === true ? await sandbox.createWorkDir() : null;
    const result = await sandbox.run({
      command: [toolchain.python, '-I', '-c', program.source],
      env: { CANARY: JSON.stringify(canaries) },
      ...(work === null ? {} : { workDir: work.path, workWritable: true }),
      limits: { wallMs: 30_000, ...program.limits },
    });
    const problem = program.check(result, findingsOf(result.stdout));
    if (problem !== undefined) problems.push(problem);
    await work?.dispose();
    if (connections.count > 0) problems.push('a server of the host was reached');
    if (victim.exitCode !== null || victim.signalCode !== null) problems.push('a process of the host died');
    if ((await readFile(filePath, 'utf8')) !== 'untouched') problems.push('a file of the host was changed');
    const after = await sandbox.run({ command: [toolchain.python, '-I', '-c', 'print("alive")'] });
    if (after.stdout !== 'alive\n')
      problems.push(`the sandbox does not work afterwards: ${JSON.stringify(after)}`);
    return problems;
  };
  const close = async () => {
    victim.kill('SIGKILL');
    for (const server of servers) server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { attack, sandbox, [Symbol.asyncDispose]: close };
}

function listen(connections: { count: number }, where: string | number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      connections.count += 1;
      socket.destroy();
    });
    server.once('error', reject);
    if (typeof where === 'number') server.listen(where, '127.0.0.1', () => resolve(server));
    else server.listen(where, () => resolve(server));
  });
}

/** The first line that is a JSON object; the program may have printed anything. */
function findingsOf(stdout: string): Findings {
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) return { ...value };
    } catch {
      continue;
    }
  }
  return {};
}
