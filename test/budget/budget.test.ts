/** The money of a run over a real Temporal server, with real processes that spend and are killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  WorkflowUpdateFailedError,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { temporalBank } from '../../src/activities/bank.ts';
import type { BudgetState } from '../../src/contract/workflows.ts';
import { openPurse } from '../../src/services/budget/purse.ts';
import { recoverTranches } from '../../src/services/budget/recoverTranches.ts';
import { HolderGoneError } from '../../src/services/budget/types.ts';
import { budgetQuery, raiseBudgetUpdate } from '../../src/workflows/budget.ts';
import { startTestStack, until, type TestStack } from '../chain/stack.ts';
import { finishSignal, goOnSignal, holder, toldQuery } from './holder.ts';
import type { SpenderSettings } from './spender.ts';

const TASK_QUEUE = 'budget-test';
const EPSILON_USD = 1e-9;
const never = new AbortController().signal;

let stack: TestStack;
let connection: NativeConnection;
let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  stack = await startTestStack();
  connection = await NativeConnection.connect({ address: stack.address });
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('holder.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
});
afterAll(async () => {
  await connection.close();
  await stack.stop();
});

/** The worker that runs the holder's workflow; stopping it makes the holder silent. */
async function startHolderWorker(): Promise<() => Promise<void>> {
  const worker = await Worker.create({ connection, workflowBundle, taskQueue: TASK_QUEUE });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

let dir: string;
let stopHolderWorker: () => Promise<void>;
let children: ChildProcess[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-budget-'));
  children = [];
  stopHolderWorker = await startHolderWorker();
});
afterEach(async () => {
  await Promise.all(children.map(async (child) => await end(child, 'SIGKILL')));
  await stopHolderWorker();
  await rm(dir, { recursive: true, force: true });
});

let number = 0;
async function startHolder(
  capUsd: number | null,
): Promise<WorkflowHandleWithFirstExecutionRunId<typeof holder>> {
  return await stack.client.workflow.start(holder, {
    taskQueue: TASK_QUEUE,
    workflowId: `holder-${(number += 1)}`,
    args: [capUsd],
  });
}

const look = async (handle: WorkflowHandle<typeof holder>): Promise<BudgetState> =>
  await stack.client.workflow.getHandle(handle.workflowId).query(budgetQuery);

function purseOf(workflowId: string) {
  const of = { namespace: 'default', workflowId, runId: '' };
  return openPurse({ bank: temporalBank(stack.client, of), holder: of, dir, pollEveryMs: 50 });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

describe('a workflow that holds a budget', () => {
  test('is raised by the plain CLI, above what is committed only, and tells when it pauses and resumes', async () => {
    const handle = await startHolder(1);
    const purse = await purseOf(handle.workflowId);
    (await purse.reserve(0.75, never)).settle(0.75);
    const waiting = purse.reserve(0.75, never);
    await until('the pause', async () => (await look(handle)).pausedSince);
    expect(await handle.query(toldQuery)).toEqual(['paused']);
    await expect(handle.executeUpdate(raiseBudgetUpdate, { args: [{ capUsd: 0.5 }] })).rejects.toThrow(
      WorkflowUpdateFailedError,
    );
    await expect(handle.executeUpdate(raiseBudgetUpdate, { args: ['more'] })).rejects.toThrow(
      WorkflowUpdateFailedError,
    );
    const { workflowId } = handle;
    await stack.temporal(
      'workflow',
      'update',
      'execute',
      '--workflow-id',
      workflowId,
      '--name',
      'raiseBudget',
      '--input',
      '{"capUsd": 2}',
    );
    (await waiting).settle(0.25);
    await purse.close();
    await until('the settlement', async () => (await look(handle)).grantedUsd === 0);
    expect(await look(handle)).toMatchObject({ capUsd: 2, spentUsd: 1, unsettledUsd: 0, pausedSince: null });
    expect(await handle.query(toldQuery)).toEqual(['paused', 'resumed']);
  });

  test('keeps its money across continue-as-new, with purses open', async () => {
    const handle = await startHolder(16);
    const purse = await purseOf(handle.workflowId);
    const open = await purse.reserve(0.25, never);
    const before = await look(handle);
    await handle.signal(goOnSignal);
    await until('the next run', async () => {
      const { runId } = await stack.client.workflow.getHandle(handle.workflowId).describe();
      return runId !== handle.firstExecutionRunId;
    });
    expect(await look(handle)).toEqual(before);
    open.settle(0.125);
    await purse.close();
    await until('the settlement', async () => (await look(handle)).grantedUsd === 0);
    expect(await look(handle)).toMatchObject({ spentUsd: 0.125, availableUsd: 15.875 });
  });

  test('that does not answer holds up what is not covered, and no longer', async () => {
    const handle = await startHolder(16);
    const purse = await purseOf(handle.workflowId);
    await stopHolderWorker();
    const waiting = purse.reserve(1, never);
    expect(await Promise.race([waiting, sleep(1500, 'waits')])).toBe('waits');
    stopHolderWorker = await startHolderWorker();
    (await waiting).settle(1);
    await purse.close();
    await until('the settlement', async () => (await look(handle)).spentUsd === 1);
  });

  test('that has ended is told apart from one that is away', async () => {
    const handle = await startHolder(16);
    const purse = await purseOf(handle.workflowId);
    (await purse.reserve(1, never)).settle(1);
    await handle.signal(finishSignal);
    await handle.result();
    const bank = temporalBank(stack.client, handle);
    await expect(bank.grant({ id: '00112233445566ff', atLeastUsd: 1 })).rejects.toThrow(HolderGoneError);
    await expect(bank.settle({ id: 'a', spentUsd: 0, unsettledUsd: 0 })).rejects.toThrow(HolderGoneError);
    await purse.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('without a cap refuses a raise', async () => {
    const handle = await startHolder(null);
    await expect(handle.executeUpdate(raiseBudgetUpdate, { args: [{ capUsd: 5 }] })).rejects.toThrow(
      WorkflowUpdateFailedError,
    );
  });
});

/** Charges each request before it answers; some are refused, some cut off after they were charged. */
class PaidEndpoint {
  readonly #server: Server;
  chargedUsd = 0;
  requests = 0;

  constructor(maxUsd: number) {
    this.#server = createServer((request, response) => {
      this.requests += 1;
      request.resume();
      if (this.requests % 13 === 0) {
        response.writeHead(429).end();
        return;
      }
      const usd = maxUsd * (0.1 + 0.4 * Math.random());
      this.chargedUsd += usd;
      if (this.requests % 29 === 0) {
        response.destroy();
        return;
      }
      setTimeout(() => response.end(JSON.stringify({ usd })), 5 + 20 * Math.random());
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function startSpender(settings: SpenderSettings): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('spender.ts', import.meta.url)), JSON.stringify(settings)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  children.push(child);
  const first = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  expect(first.done).toBe(false);
  return child;
}

test('two processes killed again and again: never above the cap, nothing unaccounted for, on after a raise', async () => {
  const capUsd = 10;
  const worstUsd = 0.01;
  const handle = await startHolder(capUsd);
  const endpoint = new PaidEndpoint(worstUsd);
  const settings: SpenderSettings = {
    address: stack.address,
    workflowId: handle.workflowId,
    dir,
    endpoint: await endpoint.listen(),
    concurrency: 12,
    worstUsd,
  };
  try {
    for (let round = 0; round < 6; round += 1) {
      const pair = await Promise.all([startSpender(settings), startSpender(settings)]);
      await sleep(100 + Math.random() * 700);
      await Promise.all(pair.map(async (child) => await end(child, 'SIGKILL')));
      const state = await look(handle);
      expect(state.spentUsd + state.unsettledUsd + state.grantedUsd).toBeLessThanOrEqual(
        capUsd + EPSILON_USD,
      );
      // What was sent by the dead is covered by what is still granted to them.
      expect(endpoint.chargedUsd).toBeLessThanOrEqual(
        state.spentUsd + state.unsettledUsd + state.grantedUsd + EPSILON_USD,
      );
    }
    const survivors = await Promise.all([startSpender(settings), startSpender(settings)]);
    // Less than a request's worst case for each process is left over: the cap is used up, and stays so.
    await until('the cap', async () => {
      const { pausedSince, availableUsd, grantedUsd } = await look(handle);
      return pausedSince !== null && availableUsd + grantedUsd < 3 * worstUsd;
    });
    await sleep(500);
    expect(endpoint.chargedUsd).toBeLessThanOrEqual(capUsd + EPSILON_USD);

    const before = endpoint.requests;
    await handle.executeUpdate(raiseBudgetUpdate, { args: [{ capUsd: capUsd + 1 }] });
    await until('requests after the raise', async () => endpoint.requests > before + 20);
    await Promise.all(survivors.map(async (child) => await end(child, 'SIGTERM')));
    expect(survivors.map(({ exitCode }) => exitCode)).toEqual([0, 0]);

    await recoverTranches({ dir, bankOf: (of) => temporalBank(stack.client, of) });
    await until('all settled', async () => (await look(handle)).grantedUsd === 0);
    const { spentUsd, unsettledUsd } = await look(handle);
    expect(spentUsd + unsettledUsd).toBeLessThanOrEqual(capUsd + 1 + EPSILON_USD);
    expect(spentUsd + unsettledUsd).toBeGreaterThanOrEqual(endpoint.chargedUsd - EPSILON_USD);
    expect(spentUsd).toBeLessThanOrEqual(endpoint.chargedUsd + EPSILON_USD);
    expect(await readdir(dir)).toEqual([]);
    const { historyLength } = await handle.describe();
    expect(historyLength).toBeLessThan(2000);
  } finally {
    await endpoint.close();
  }
});
