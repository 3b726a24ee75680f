import { appendFile, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TrancheSettlement } from '../../contract/workflows.ts';
import { Budget } from '../../workflows/budgetState.ts';
import { formatOwner, thisProcess } from '../processOwner.ts';
import { openPurse, type OpenPurse, type Shortage } from './purse.ts';
import { recoverTranches } from './recoverTranches.ts';
import { TrancheFile } from './trancheFile.ts';
import { HolderGoneError, type Bank, type Reservation } from './types.ts';

const holder = { namespace: 'default', workflowId: 'run/1 ü', runId: 'r' };
const never = new AbortController().signal;

/** The state machine of the workflow, called directly; `fault` stands for a server that is away. */
class LocalBank implements Bank {
  readonly budget: Budget;
  readonly settlements: TrancheSettlement[] = [];
  grants = 0;
  looks = 0;
  fault: (() => void) | null = null;

  constructor(capUsd: number) {
    this.budget = new Budget({ capUsd });
  }

  async grant(request: Parameters<Bank['grant']>[0]) {
    this.fault?.();
    this.grants += 1;
    return this.budget.grant(request, '2026-01-01T00:00:00.000Z');
  }

  async state() {
    this.fault?.();
    this.looks += 1;
    return this.budget.state();
  }

  async settle(settlement: TrancheSettlement) {
    this.fault?.();
    this.settlements.push(settlement);
    this.budget.settle(settlement);
  }
}

let dir: string;
let purses: OpenPurse[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-purse-'));
  purses = [];
});
afterEach(async () => {
  await Promise.all(purses.map(async (purse) => await purse.close()));
  await rm(dir, { recursive: true, force: true });
});

interface Told {
  paused: Shortage[];
  resumed: number;
  trouble: number;
}

async function open(bank: Bank, closeWithinMs = 2000): Promise<{ purse: OpenPurse; told: Told }> {
  const told: Told = { paused: [], resumed: 0, trouble: 0 };
  const purse = await openPurse({
    bank,
    holder,
    dir,
    pollEveryMs: 20,
    closeWithinMs,
    onPaused: (shortage) => told.paused.push(shortage),
    onResumed: () => (told.resumed += 1),
    onTrouble: () => (told.trouble += 1),
  });
  purses.push(purse);
  return { purse, told };
}

async function isWaiting(work: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([work.then(() => 'done'), sleep(100, 'waiting')])) === 'waiting';
}

const linesOnDisk = async (): Promise<string[]> => {
  const files = await readdir(dir);
  const texts = await Promise.all(files.map(async (file) => await readFile(join(dir, file), 'utf8')));
  return texts.flatMap((text) => text.trimEnd().split('\n'));
};

describe('a purse', () => {
  test('writes a reservation down before it resolves, and settles with what was paid', async () => {
    const bank = new LocalBank(16);
    const { purse } = await open(bank);
    const reservation = await purse.reserve(0.25, never);
    expect(await linesOnDisk()).toContain('{"r":1,"usd":0.25}');
    reservation.settle(0.1);
    reservation.settle(0.1);
    (await purse.reserve(0.25, never)).release();
    (await purse.reserve(0.25, never)).abandon();
    expect(purse.spent()).toMatchObject({ spentUsd: 0.1, unsettledUsd: 0.25, reservedUsd: 0, tranches: 1 });
    await purse.close();
    expect(bank.budget.state()).toMatchObject({ spentUsd: 0.1, unsettledUsd: 0.25, grantedUsd: 0 });
    expect(await readdir(dir)).toEqual([]);
  });

  test('asks for money once, however many wait for it', async () => {
    const bank = new LocalBank(1600);
    const { purse } = await open(bank);
    await Promise.all(Array.from({ length: 50 }, async () => await purse.reserve(1, never)));
    expect(bank.grants).toBe(1);
  });

  test('uses what came back before it asks for more, and settles what cannot hold the next request', async () => {
    const bank = new LocalBank(4);
    const { purse } = await open(bank);
    for (let request = 0; request < 25; request += 1) (await purse.reserve(1, never)).settle(0.125);
    // 0.875 of 4 are left, a request may cost 1: at the cap.
    const last = purse.reserve(1, never);
    expect(await isWaiting(last)).toBe(true);
    expect(bank.budget.state().spentUsd).toBe(3.125);
    expect(bank.grants).toBeLessThan(6);
    bank.budget.raise(8);
    (await last).settle(0.5);
  });

  test('waits at the cap, says so, and goes on after a raise; never above the cap', async () => {
    const bank = new LocalBank(1);
    const { purse, told } = await open(bank);
    const held = await purse.reserve(0.75, never);
    const waiting = purse.reserve(0.75, never);
    expect(await isWaiting(waiting)).toBe(true);
    // A request is open: its end may free money, so nobody is alarmed.
    expect(told.paused).toEqual([]);
    held.settle(0.5);
    expect(await isWaiting(waiting)).toBe(true);
    expect(told.paused).toEqual([{ capUsd: 1, availableUsd: 0.5, wantedUsd: 0.75 }]);
    expect(bank.budget.state()).toMatchObject({ spentUsd: 0.5, pausedSince: '2026-01-01T00:00:00.000Z' });
    bank.budget.raise(1.25);
    (await waiting).settle(0.7);
    expect(told.resumed).toBe(1);
    expect(bank.grants).toBe(3);
  });

  test('serves in order: a small request does not overtake a big one that waits', async () => {
    const bank = new LocalBank(1);
    const { purse } = await open(bank);
    const held = await purse.reserve(0.75, never);
    const big = purse.reserve(0.5, never);
    const small = purse.reserve(0.1, never);
    expect(await isWaiting(Promise.race([big, small]))).toBe(true);
    held.release();
    await Promise.all([big, small]);
  });

  test('a request that is given up while it waits leaves the queue with its reason', async () => {
    const bank = new LocalBank(1);
    const { purse, told } = await open(bank);
    const stop = new AbortController();
    const waiting = purse.reserve(2, stop.signal);
    waiting.catch(() => undefined);
    await expect.poll(() => told.paused.length).toBe(1);
    stop.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    (await purse.reserve(0.5, never)).settle(0.5);
    expect(told.resumed).toBe(1);
  });

  test('while the holder does not answer nothing is sent that is not covered, then it goes on under the same id', async () => {
    const bank = new LocalBank(16);
    bank.fault = () => {
      throw new Error('Temporal is away');
    };
    const { purse, told } = await open(bank);
    const waiting = purse.reserve(1, never);
    expect(await isWaiting(waiting)).toBe(true);
    expect(told.trouble).toBeGreaterThan(0);
    bank.fault = null;
    await waiting;
    expect(bank.budget.snapshot().open).toHaveLength(1);
  });

  test('when the holder has ended, who waits is told', async () => {
    const bank = new LocalBank(16);
    bank.fault = () => {
      throw new HolderGoneError(holder);
    };
    const { purse } = await open(bank);
    await expect(purse.reserve(1, never)).rejects.toThrow('has ended');
    expect(await readdir(dir)).toEqual([]);
  });

  test('what is open when it closes is charged at its worst case', async () => {
    const bank = new LocalBank(16);
    const { purse } = await open(bank);
    const late: Reservation = await purse.reserve(0.5, never);
    await purse.close();
    late.settle(0.1);
    expect(bank.budget.state()).toMatchObject({ spentUsd: 0, unsettledUsd: 0.5, grantedUsd: 0 });
    await expect(purse.reserve(0.1, never)).rejects.toThrow('closed');
  });

  test('a purse that cannot settle at its end leaves its tranche to be recovered, by the same process too', async () => {
    const bank = new LocalBank(16);
    const { purse } = await open(bank, 150);
    (await purse.reserve(0.5, never)).settle(0.25);
    await purse.reserve(0.5, never);
    bank.fault = () => {
      throw new Error('Temporal is away');
    };
    await purse.close();
    expect(await readdir(dir)).toHaveLength(1);
    expect(await recoverTranches({ dir, bankOf: () => bank })).toMatchObject({ left: 1, settled: 0 });
    bank.fault = null;
    expect(await recoverTranches({ dir, bankOf: () => bank })).toMatchObject({ settled: 1 });
    expect(bank.budget.state()).toMatchObject({ spentUsd: 0.25, unsettledUsd: 0.5, grantedUsd: 0 });
    expect(await readdir(dir)).toEqual([]);
  });
});

/** A file as a process left it that is dead (its start tick is another), or not to be seen from here. */
async function leaveFile(
  lines: readonly object[],
  { tail = '', owner = formatOwner({ ...thisProcess(), startTicks: 1 }), boot = '' } = {},
): Promise<string> {
  const { purse } = await open(new LocalBank(1));
  await purse.reserve(0.01, never);
  const [header = ''] = await linesOnDisk();
  await purse.close();
  const path = join(dir, `00112233445566ff@${owner}.jsonl`);
  const head = JSON.parse(header) as { boot: string };
  const text = [boot === '' ? head : { ...head, boot }, ...lines].map((line) => `${JSON.stringify(line)}\n`);
  await writeFile(path, text.join('') + tail);
  return path;
}

describe('recovery', () => {
  const lines = [
    { granted: 1 },
    { r: 1, usd: 0.2 },
    { r: 2, usd: 0.2 },
    { s: 1, usd: 0.05 },
    { r: 3, usd: 0.2 },
    { f: 3 },
  ];
  const id = '00112233445566ff';

  const settledBy = async (): Promise<TrancheSettlement[]> => {
    const bank = new LocalBank(1);
    await recoverTranches({ dir, bankOf: () => bank });
    return bank.settlements;
  };

  test('what was reserved and not ended is charged at its worst case; a torn last line counts for nothing', async () => {
    await leaveFile(lines, { tail: '{"r":4,"us' });
    expect(await settledBy()).toEqual([{ id, spentUsd: 0.05, unsettledUsd: 0.2 }]);
    expect(await readdir(dir)).toEqual([]);
  });

  test('after another start of the machine lines may be missing: the whole tranche stays charged', async () => {
    await leaveFile(lines, { boot: 'another' });
    expect(await settledBy()).toEqual([{ id, spentUsd: 0.05, unsettledUsd: 0.95 }]);
  });

  test('of a run that has ended only the file is removed', async () => {
    await leaveFile(lines);
    const bank = new LocalBank(1);
    bank.fault = () => {
      throw new HolderGoneError(holder);
    };
    expect(await recoverTranches({ dir, bankOf: () => bank })).toMatchObject({ gone: 1, settled: 0 });
    expect(await readdir(dir)).toEqual([]);
  });

  test('a file that cannot be read stays charged in full and is kept for people', async () => {
    await appendFile(await leaveFile(lines), 'not json\n');
    const bank = new LocalBank(1);
    expect(await recoverTranches({ dir, bankOf: () => bank })).toMatchObject({ corrupt: 1, settled: 0 });
    expect((await readdir(dir)).map((file) => file.endsWith('.corrupt'))).toEqual([true]);
  });

  test('a process that nobody can see is taken for dead once its file is old', async () => {
    const path = await leaveFile(lines, { owner: '000000000000-1-1' });
    expect(await settledBy()).toEqual([]);
    const old = new Date(Date.now() - 120_000);
    await utimes(path, old, old);
    expect(await settledBy()).toHaveLength(1);
  });

  test('a living owner is left alone, and several that recover at once settle once', async () => {
    const bank = new LocalBank(16);
    const { purse } = await open(bank);
    await purse.reserve(0.5, never);
    await leaveFile(lines);
    const totals = await Promise.all(
      Array.from({ length: 4 }, async () => await recoverTranches({ dir, bankOf: () => bank })),
    );
    expect(totals.reduce((sum, { settled }) => sum + settled, 0)).toBe(1);
    expect(await readdir(dir)).toHaveLength(1);
  });

  test('an owner whose file was taken away reserves nothing more in it', async () => {
    const bank = new LocalBank(16);
    const { purse } = await open(bank);
    await purse.reserve(0.1, never);
    const [file = ''] = await readdir(dir);
    await rename(join(dir, file), join(dir, `${file}.taken`));
    const stale = await TrancheFile.create(dir, 'aaaaaaaaaaaaaaaa', holder);
    await rename(stale.path, `${stale.path}.taken`);
    await stale.touch();
    await expect(stale.append({ r: 1, usd: 1 })).rejects.toThrow('stood still');
    await stale.abandon();
  });
});
