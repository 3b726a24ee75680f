import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SecpiError } from '../../contract/errors.ts';
import { Detached } from './attend.ts';
import { writeUnlessOvertaken } from './launch.ts';
import { readRecord, trainingHome, type TrainerRecord } from './trainingHome.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-launch-'));
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const recordOf = (epoch: number): TrainerRecord => ({
  owner: null,
  fingerprint: 'ab'.repeat(32),
  epoch,
  configSha256: 'cd'.repeat(32),
  startedAt: new Date().toISOString(),
  gpu: null,
  files: { trainRows: 1, evalRows: 0 },
  resumedFromStep: 0,
  unsaved: null,
  damaged: [],
});

test('an attempt takes a home from an earlier one, never from a later', async () => {
  const home = trainingHome(dir, 'ab'.repeat(32));
  await writeUnlessOvertaken(home, recordOf(1));
  await writeUnlessOvertaken(home, recordOf(3));
  const late = writeUnlessOvertaken(home, recordOf(2));
  await expect(late).rejects.toBeInstanceOf(Detached);
  await expect(late).rejects.toMatchObject({ cause: expect.any(SecpiError) });
  expect((await readRecord(home))?.epoch).toBe(3);
});
