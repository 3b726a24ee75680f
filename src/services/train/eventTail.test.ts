import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tailEvents } from './eventTail.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-tail-'));
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const saving = (step: number): string => `${JSON.stringify({ event: 'saving', step })}\n`;

test('gives each line once, and half a line when the rest has come', async () => {
  const path = join(dir, 'halves.jsonl');
  const tail = tailEvents(path);
  expect(await tail.read()).toEqual([]);
  await appendFile(path, saving(1) + saving(2).slice(0, 9));
  expect(await tail.read()).toEqual([{ event: 'saving', step: 1 }]);
  expect(await tail.read()).toEqual([]);
  await appendFile(path, saving(2).slice(9));
  expect(await tail.read()).toEqual([{ event: 'saving', step: 2 }]);
});

test('keeps a character whole that was written in two pieces', async () => {
  const path = join(dir, 'characters.jsonl');
  const line = Buffer.from(`${JSON.stringify({ event: 'error', code: 'X', message: 'größer' })}\n`);
  const cut = line.indexOf(0xc3) + 1;
  const tail = tailEvents(path);
  await appendFile(path, line.subarray(0, cut));
  expect(await tail.read()).toEqual([]);
  await appendFile(path, line.subarray(cut));
  expect(await tail.read()).toMatchObject([{ message: 'größer' }]);
});

test('passes over what a library printed, and refuses an event that the protocol does not allow', async () => {
  const path = join(dir, 'noise.jsonl');
  const tail = tailEvents(path);
  await appendFile(path, `Loading weights: 100%\n{"a": 1}\n[]\n{"event": "warming"}\n${saving(3)}`);
  expect(await tail.read()).toEqual([{ event: 'saving', step: 3 }]);
  await appendFile(path, '{"event": "saving", "step": "three"}\n');
  await expect(tail.read()).rejects.toThrow('the protocol does not allow');
});
