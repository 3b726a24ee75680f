import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { formatOwner, parseOwner, stateOf, thisProcess } from './processOwner.ts';

test('an owner survives its way through a file name', () => {
  const owner = thisProcess();
  expect(parseOwner(formatOwner(owner))).toEqual(owner);
  expect(parseOwner('not-an-owner')).toBeNull();
});

test('this process lives; its pid with another start tick is another, dead process', async () => {
  const owner = thisProcess();
  expect(await stateOf(owner)).toBe('alive');
  expect(await stateOf({ ...owner, startTicks: owner.startTicks + 1 })).toBe('dead');
  expect(await stateOf({ ...owner, place: '000000000000' })).toBe('unknown');
});

test('a killed process is dead', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(await stateOf({ ...thisProcess(), pid: child.pid ?? 0 })).toBe('dead');
});
