/** The sandbox against hostile programs: as the current user, and when that is root as an ordinary user too. */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Toolchain } from '../../src/services/sandbox/index.ts';
import { openConformance, type Conformance } from './conformance.ts';
import { HOSTILE_PROGRAMS } from './hostilePrograms.ts';
import { testToolchain } from './support.ts';

const execute = promisify(execFile);
const ORDINARY_UID = 190_001;
const CHILD = join(import.meta.dirname, 'ordinaryUser.ts');
const isRoot = process.getuid?.() === 0;

let toolchain: Toolchain;
let conformance: Conformance;

beforeAll(async () => {
  process.env['SECPI_CANARY'] = 'secret of the launcher';
  toolchain = await testToolchain();
  conformance = await openConformance(toolchain);
}, 300_000);

afterAll(async () => {
  await conformance[Symbol.asyncDispose]();
});

describe(`hostile programs as ${isRoot ? 'root (dropped to a slot uid)' : 'an ordinary user'}`, () => {
  it.each(HOSTILE_PROGRAMS.map((program) => [program.name, program] as const))('%s', async (_, program) => {
    expect(await conformance.attack(program)).toEqual([]);
  });
});

describe('hostile programs as an ordinary user, started by root', () => {
  it('contains all of them and grades', { timeout: 180_000 }, async ({ skip }) => {
    if (!isRoot) skip('this run is an ordinary user already');
    const drop = [
      '--reuid',
      `${ORDINARY_UID}`,
      '--regid',
      `${ORDINARY_UID}`,
      '--clear-groups',
      '--no-new-privs',
    ];
    const readable = await execute('setpriv', [...drop, 'test', '-r', CHILD]).catch(() => null);
    if (readable === null) {
      console.log('skipped: an ordinary user cannot read this checkout, or setpriv is missing');
      skip('an ordinary user cannot read this checkout, or setpriv is missing');
    }
    const root = await mkdtemp(join(tmpdir(), 'secpi-ordinary-'));
    try {
      await chown(root, ORDINARY_UID, ORDINARY_UID);
      const node = join(toolchain.dir, 'bin', 'node');
      const { stdout } = await execute(
        'setpriv',
        [...drop, node, CHILD, JSON.stringify({ ...toolchain, root })],
        {
          env: { PATH: '/usr/bin:/bin', HOME: root, SECPI_CANARY: 'secret of the launcher' },
          timeout: 170_000,
        },
      );
      const reports = stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
      expect(reports).toEqual([
        ...HOSTILE_PROGRAMS.map(({ name }) => ({ name, uid: ORDINARY_UID, problems: [] })),
        { functional: true, secure: true, unknown: false },
        { functional: false, secure: false, unknown: false },
      ]);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
