/** The stack as a user meets it: `secpi up` in a process of its own, real Temporal and S3. */
import { Client, Connection } from '@temporalio/client';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore, type Store } from '../../services/store/index.ts';
import { startCli, survivors, temporaryFolder, type RunningCli } from '../testing/cli.ts';
import { projectRoot } from '../settings.ts';
import { ensureTools } from '../tools.ts';
import { readCredentials } from './credentials.ts';
import { isListening } from './isListening.ts';
import { freePort } from './ports.ts';
import { identify, isAlive, type ProcessIdentity } from './processIdentity.ts';
import { startService } from './service.ts';
import { readStackState, statePaths, type StackState } from './stackState.ts';

const UP = 'The stack is up.';
const TEMPORAL_PORT = 7233;

interface RunningStack extends RunningCli {
  readonly state: StackState;
}

async function up(folder: string, env: NodeJS.ProcessEnv = {}): Promise<RunningStack> {
  const cli = startCli(['up', '--no-worker'], { SECPI_STATE: folder, ...env });
  await cli.printed(UP);
  return { ...cli, state: await stateOf(folder) };
}

async function stop(cli: RunningCli): Promise<number> {
  cli.child.kill('SIGINT');
  return await cli.exit;
}

async function stateOf(folder: string): Promise<StackState> {
  const state = await readStackState(folder);
  if (state === null) throw new Error('no stack.json');
  return state;
}

async function storeOf(folder: string, { s3 }: StackState): Promise<Store> {
  const credentials = await readCredentials(statePaths(folder).credentials);
  if (credentials === null) throw new Error('no credentials');
  return openStore({ endpoint: s3.endpoint, region: s3.region, bucket: s3.bucket, credentials });
}

async function withClient<T>({ temporal }: StackState, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await work(new Client({ connection, namespace: temporal.namespace }));
  } finally {
    await connection.close();
  }
}

describe('the stack', () => {
  test('keeps its state over a stop and a start, and leaves no process behind', async () => {
    await using folder = await temporaryFolder();
    await using first = await up(folder.path);
    const before = first.state;
    expect(before.processes.map(({ name }) => name).toSorted()).toEqual(['s3', 'teacher', 'temporal']);
    expect(before.processes.filter((process) => !isAlive(process))).toEqual([]);
    await withClient(
      before,
      async (client) => await client.workflow.start('nothing', { workflowId: 'kept', taskQueue: 'nobody' }),
    );
    const store = await storeOf(folder.path, before);
    await store.objects.putIfAbsent('kept', Buffer.from('bytes'));
    store.objects.close();

    expect(await stop(first)).toBe(130);
    expect(before.processes.filter(isAlive)).toEqual([]);

    await using second = await up(folder.path);
    const after = second.state;
    const status = await withClient(
      after,
      async (client) => (await client.workflow.getHandle('kept').describe()).status.name,
    );
    expect(status).toBe('RUNNING');
    const again = await storeOf(folder.path, after);
    expect((await again.objects.get('kept'))?.bytes.toString()).toBe('bytes');
    again.objects.close();
    expect(after.s3.endpoint).toBe(before.s3.endpoint);
  });

  test('adds the search attributes to a database that lacks them', async () => {
    await using folder = await temporaryFolder();
    {
      await using older = await bareTemporal(folder.path, statePaths(folder.path).temporalDb);
      expect(isAlive(older.identity)).toBe(true);
    }
    await using running = await up(folder.path);
    const attributes = await withClient(
      running.state,
      async ({ connection }) =>
        await connection.operatorService.listSearchAttributes({ namespace: 'default' }),
    );
    expect(Object.keys(attributes.customAttributes)).toEqual(
      expect.arrayContaining(['SecpiStage', 'SecpiCostUsd', 'SecpiReused']),
    );
  });

  test('dies with a killed owner, and starts again', async () => {
    await using folder = await temporaryFolder();
    await using first = await up(folder.path);
    const { processes } = first.state;
    first.child.kill('SIGKILL');
    await first.exit;
    expect(await survivors(processes, 5000)).toEqual([]);

    await using again = await up(folder.path);
    expect(again.state.processes.every(isAlive)).toBe(true);
  });

  test('starts a crashed server again on its port and says so', async () => {
    await using folder = await temporaryFolder();
    await using cli = await up(folder.path);
    const before = cli.state;
    const s3 = before.processes.find(({ name }) => name === 's3');
    process.kill(s3?.pid ?? 0, 'SIGKILL');
    await cli.printed(/s3 was ended by SIGKILL; starting it again in .* s/);
    await cli.printed('s3 is up again.');
    const after = await stateOf(folder.path);
    expect(after.processes.find(({ name }) => name === 's3')?.pid).not.toBe(s3?.pid);
    const store = await storeOf(folder.path, after);
    await store.objects.ensureBucket();
    store.objects.close();
    expect(await stop(cli)).toBe(130);
    expect(after.processes.filter(isAlive)).toEqual([]);
  });

  test('refuses a second stack on the same state', async () => {
    await using folder = await temporaryFolder();
    await using running = await up(folder.path);
    const second = startCli(['up', '--no-worker'], { SECPI_STATE: folder.path });
    expect(await second.exit).toBe(3);
    expect(second.output()).toContain('A stack runs already');
    expect(running.state.processes.every(isAlive)).toBe(true);
  });

  test('takes the next port where 7233 is taken, and tells how to reach it', async () => {
    await using folder = await temporaryFolder();
    await using occupied = await occupy(TEMPORAL_PORT);
    await using cli = await up(folder.path);
    const { temporal } = cli.state;
    expect(temporal.address).not.toBe(`127.0.0.1:${occupied.port}`);
    expect(cli.output()).toContain(`export TEMPORAL_ADDRESS=${temporal.address}`);
  });

  test('keeps its keys to itself', async () => {
    await using folder = await temporaryFolder();
    await using cli = await up(folder.path);
    const { credentials } = statePaths(folder.path);
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    const keys = await readCredentials(credentials);
    if (keys === null) throw new Error('no credentials');
    const { processes } = cli.state;
    const visible = [
      cli.output(),
      readFileSync(statePaths(folder.path).stack, 'utf8'),
      ...readdirSync(join(folder.path, 'logs')).map((name) =>
        readFileSync(join(folder.path, 'logs', name), 'utf8'),
      ),
      ...processes.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    ];
    expect(
      visible.filter((text) => text.includes(keys.secretAccessKey) || text.includes(keys.accessKeyId)),
    ).toEqual([]);
  });
});

describe('a cluster of the user', () => {
  test('that does not answer is named with its remedy, and nothing is left running', async () => {
    await using folder = await temporaryFolder();
    const cli = startCli(['up', '--no-worker'], {
      SECPI_STATE: folder.path,
      TEMPORAL_ADDRESS: '127.0.0.1:9',
    });
    expect(await cli.exit).toBe(3);
    expect(cli.output()).toMatch(
      /Temporal does not answer at 127\.0\.0\.1:9[\s\S]*Remedy:.*TEMPORAL_ADDRESS/,
    );
    expect(await readStackState(folder.path)).toBeNull();
  }, 120_000);

  test('is used and not started; missing search attributes are a warning', async () => {
    await using folder = await temporaryFolder();
    await using theirs = await temporaryFolder();
    await using server = await bareTemporal(theirs.path);
    await using cli = await up(folder.path, { TEMPORAL_ADDRESS: server.address });
    const { state } = cli;
    expect(state.temporal).toEqual({
      address: server.address,
      namespace: 'default',
      uiUrl: null,
      embedded: false,
    });
    expect(state.processes.map(({ name }) => name)).not.toContain('temporal');
    expect(cli.output()).toMatch(/Warning: .*SecpiStage/);
    expect(await stop(cli)).toBe(130);
    expect(isAlive(server.identity)).toBe(true);
  }, 120_000);
});

/** Holds the port, or leaves it to whoever has it already. */
async function occupy(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen({ port, host: '127.0.0.1' }, () => resolve());
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => await new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A Temporal server without the project's search attributes, as a user may have one. */
async function bareTemporal(
  folder: string,
  dbFile?: string,
): Promise<AsyncDisposable & { readonly address: string; readonly identity: ProcessIdentity }> {
  const port = await freePort(17_233);
  let pid = 0;
  const service = await startService(
    {
      name: 'bare',
      command: [
        ensureTools(projectRoot, process.env).temporal,
        'server',
        'start-dev',
        '--headless',
        '--ip',
        '127.0.0.1',
        '--port',
        String(port),
        ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
      ],
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
      log: join(folder, 'bare.log'),
      onOwnerDeath: 'KILL',
      readyTimeoutMs: 60_000,
      stopTimeoutMs: 5000,
      isReady: async () => await isListening(port),
    },
    (event) => {
      if (event.kind === 'started') pid = event.process.pid;
    },
  );
  const identity = identify(pid);
  if (identity === null) throw new Error('the server is gone');
  return { address: `127.0.0.1:${port}`, identity, [Symbol.asyncDispose]: async () => await service.stop() };
}
