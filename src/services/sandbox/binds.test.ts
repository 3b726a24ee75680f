import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planBinds, stagedCommand } from './binds.ts';

let open: string;
let closed: string;

beforeEach(async () => {
  open = await mkdtemp(join(tmpdir(), 'secpi-binds-'));
  await chmod(open, 0o755);
  closed = join(open, 'closed', 'data');
  await mkdir(closed, { recursive: true });
  await chmod(join(open, 'closed'), 0o700);
});
afterEach(async () => {
  await rm(open, { recursive: true });
});

const isRoot = process.getuid?.() === 0;

describe('which folders are staged', () => {
  it('none as an ordinary user', async () => {
    const request = { workDir: '/w', workWritable: true, readOnly: [{ host: closed, inside: '/data' }] };
    expect(await planBinds(request, '/stage', null)).toEqual({
      binds: [
        { source: '/w', inside: '/work', writable: true },
        { source: closed, inside: '/data', writable: false },
      ],
      staged: [],
    });
  });

  it.runIf(isRoot)('as root, those that a slot cannot walk to, and no others', async () => {
    const request = {
      workDir: closed,
      readOnly: [
        { host: '/usr', inside: '/a' },
        { host: join(open, 'closed'), inside: '/b' },
        { host: join(closed, 'file'), inside: '/c' },
        { host: '/nonexistent/folder', inside: '/d' },
      ],
    };
    const { binds, staged } = await planBinds(request, '/stage', 200_000);
    expect(staged).toEqual([closed, join(closed, 'file')]);
    expect(binds.map(({ source }) => source)).toEqual([
      '/stage/0',
      '/usr',
      join(open, 'closed'),
      '/stage/1',
      '/nonexistent/folder',
    ]);
    // The folder's own user needs no stage.
    const own = await planBinds({ workDir: closed }, '/stage', process.getuid?.() ?? 0);
    expect(own.staged).toEqual([]);
  });
});

it('paths are arguments, never part of the script', () => {
  const odd = '/root/$(touch x); "y"';
  const command = stagedCommand({ staged: [odd], stageDir: '/stage', uid: 200_000 }, [
    '/bwrap',
    '--args',
    '4',
  ]);
  const script = command.indexOf('-c') + 1;
  expect(command[script]).not.toContain('touch');
  expect(command.slice(script + 1)).toEqual(['sh', '/stage', '200000', '1', odd, '/bwrap', '--args', '4']);
});
