import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActivityNotFoundError } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatOwner, thisProcess } from '../services/processOwner.ts';
import { handBackTasks, holdTask } from './heldTasks.ts';

const NOTE = { namespace: 'ours', activity: 'classify', workflowId: 'run-1' };
const TWO_DAYS_AGO = new Date(Date.now() - 48 * 3_600_000);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-held-'));
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

/** Takes what is handed back, in place of Temporal; answers each token as it is told. */
function startClient(answers: Readonly<Record<string, Error>> = {}) {
  const failed: string[] = [];
  const troubles: unknown[] = [];
  const fail = async (...[token]: readonly unknown[]): Promise<void> => {
    const text = token instanceof Uint8Array ? Buffer.from(token).toString() : '';
    const answer = answers[text];
    if (answer !== undefined) throw answer;
    failed.push(text);
  };
  const handBackIn = async (namespace: string): Promise<number> =>
    await handBackTasks(
      dir,
      { activity: { fail } },
      { namespace, onTrouble: (error) => troubles.push(error) },
    );
  return { failed, troubles, handBackIn };
}

/** A process that held these tasks and was killed. Returns its folder. */
async function dieHolding(tasks: readonly { token: string; namespace?: string }[]): Promise<string> {
  const module = new URL('heldTasks.ts', import.meta.url).href;
  const held = tasks.map(({ token, namespace }) => ({ ...NOTE, ...(namespace && { namespace }), token }));
  const code = `const { holdTask } = await import(${JSON.stringify(module)});
    for (const { token, ...note } of ${JSON.stringify(held)})
      await holdTask(${JSON.stringify(dir)}, { ...note, taskToken: Buffer.from(token) });
    console.log('holds'); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const name = (await readdir(dir)).find((name) => name.includes(`-${child.pid}-`)) ?? '';
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  return join(dir, name);
}

it('hands back what a killed process held, once, and removes its folder', async () => {
  await dieHolding([{ token: 'a' }, { token: 'b' }]);
  const { failed, troubles, handBackIn } = startClient();
  expect(await handBackIn('ours')).toBe(2);
  expect(await handBackIn('ours')).toBe(0);
  expect([failed.sort(), troubles, await readdir(dir)]).toEqual([['a', 'b'], [], []]);
});

it('leaves what a living process holds, until it lets go', async () => {
  const letGo = await holdTask(dir, { ...NOTE, taskToken: Buffer.from('mine') });
  const { failed, handBackIn } = startClient();
  expect([await handBackIn('ours'), failed]).toEqual([0, []]);
  const own = join(dir, formatOwner(thisProcess()));
  expect(await readdir(own)).toHaveLength(1);
  await letGo();
  expect(await readdir(own)).toEqual([]);
});

it('leaves notes of another namespace for their own worker', async () => {
  await dieHolding([{ token: 'theirs', namespace: 'other' }, { token: 'a' }]);
  const { failed, troubles, handBackIn } = startClient();
  expect(await handBackIn('ours')).toBe(1);
  expect(failed).toEqual(['a']);
  expect(await handBackIn('other')).toBe(1);
  expect([failed, troubles, await readdir(dir)]).toEqual([['a', 'theirs'], [], []]);
});

it('tells of a note that cannot be handed back, keeps it, and goes on with the others', async () => {
  const folder = await dieHolding([{ token: 'a' }, { token: 'refused' }, { token: 'over' }, { token: 'b' }]);
  await writeFile(join(folder, 'half.json'), '{"namespace":"ou');
  await mkdir(join(folder, 'a-folder.json'));
  const refusal = new Error('namespace is gone');
  const { failed, troubles, handBackIn } = startClient({
    refused: refusal,
    over: new ActivityNotFoundError('gone'),
  });
  expect(await handBackIn('ours')).toBe(2);
  expect(failed.sort()).toEqual(['a', 'b']);
  expect(troubles).toHaveLength(2);
  expect(troubles).toContain(refusal);
  expect(await readdir(folder)).toHaveLength(2);
});

it('several workers that start at once hand back each task and have no trouble', async () => {
  await dieHolding(Array.from({ length: 20 }, (_, index) => ({ token: `task-${index}` })));
  const { failed, troubles, handBackIn } = startClient();
  await Promise.all(Array.from({ length: 4 }, async () => await handBackIn('ours')));
  expect([new Set(failed).size, troubles, await readdir(dir)]).toEqual([20, [], []]);
});

it('sweeps after a day what nobody can hand back: of other machines and of other namespaces', async () => {
  const dead = await dieHolding([{ token: 'theirs', namespace: 'gone' }]);
  const unseen = join(dir, formatOwner({ ...thisProcess(), place: '0'.repeat(12) }));
  await mkdir(unseen);
  await writeFile(join(unseen, 'x.json'), '{}');
  const { failed, troubles, handBackIn } = startClient();
  await handBackIn('ours');
  expect(await readdir(dir)).toHaveLength(2);
  for (const folder of [dead, unseen]) await utimes(folder, TWO_DAYS_AGO, TWO_DAYS_AGO);
  await handBackIn('ours');
  expect([await readdir(dir), failed, troubles]).toEqual([[], [], []]);
});

it('a folder that cannot be read is told and keeps no worker from starting; a missing one is nothing', async () => {
  await writeFile(join(dir, formatOwner({ ...thisProcess(), startTicks: 1 })), 'a file, not a folder');
  const { troubles, handBackIn } = startClient();
  expect(await handBackIn('ours')).toBe(0);
  expect(troubles).toHaveLength(1);
  await rm(dir, { recursive: true });
  expect(await handBackIn('ours')).toBe(0);
  expect(troubles).toHaveLength(1);
});
