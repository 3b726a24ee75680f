import { describe, expect, it } from 'vitest';
import { bubblewrapOptions, encodeArguments, limitedCommand, type LaunchPlan } from './arguments.ts';
import { DEFAULT_LIMITS } from './types.ts';

const plan: LaunchPlan = {
  request: { command: ['/usr/bin/true'], env: { A: '1' } },
  binds: [{ source: '/h', inside: '/i', writable: false }],
  limits: DEFAULT_LIMITS,
  hostRoot: { links: [{ target: 'usr/bin', path: '/bin' }], folders: ['/lib64'] },
  etcDir: '/toolchain-etc',
  prlimitPath: '/usr/bin/prlimit',
};

describe('the options of bubblewrap', () => {
  const options = bubblewrapOptions(plan);
  const indexOf = (...wanted: string[]) =>
    options.findIndex((_, at) => wanted.every((word, n) => options[at + n] === word));

  it('size every tmpfs', () => {
    const mounts = options.flatMap((word, at) => (word === '--tmpfs' ? [options.slice(at - 4, at)] : []));
    expect(mounts).toEqual([
      ['--size', '4096', '--perms', '0000'],
      ...Array.from({ length: 3 }, () => ['--size', String(DEFAULT_LIMITS.tmpBytes), '--perms', '0777']),
    ]);
  });

  it('remount /proc, /dev and / read-only after everything is mounted', () => {
    const lastMount = Math.max(indexOf('--ro-bind', '/h', '/i'), options.lastIndexOf('--tmpfs'));
    for (const path of ['/proc', '/dev', '/'])
      expect(indexOf('--remount-ro', path)).toBeGreaterThan(lastMount);
  });

  it('unshare everything and bind no folder of the host writable', () => {
    for (const word of [
      '--unshare-all',
      '--disable-userns',
      '--die-with-parent',
      '--new-session',
      '--seccomp',
    ]) {
      expect(options).toContain(word);
    }
    expect(options).not.toContain('--bind');
    expect(options).not.toContain('--share-net');
  });

  it('bind the work folder as asked', () => {
    const bound = (workWritable: boolean) =>
      bubblewrapOptions({ ...plan, binds: [{ source: '/w', inside: '/work', writable: workWritable }] });
    expect(bound(true).join(' ')).toContain('--bind /w /work');
    expect(bound(false).join(' ')).toContain('--ro-bind /w /work');
  });
});

it('the limits stand before the command, inside', () => {
  const command = limitedCommand(plan);
  expect(command[0]).toBe('/usr/bin/prlimit');
  expect(command.slice(-2)).toEqual(['--', '/usr/bin/true']);
  for (const name of ['cpu', 'as', 'nproc', 'fsize', 'nofile', 'core']) {
    expect(command.some((word) => word.startsWith(`--${name}=`))).toBe(true);
  }
});

it('without a limit of the address space there is no shared mapping of /dev/zero', () => {
  const unlimited = { ...plan, limits: { ...DEFAULT_LIMITS, addressSpaceBytes: null } };
  expect(limitedCommand(unlimited).some((word) => word.startsWith('--as='))).toBe(false);
  expect(bubblewrapOptions(unlimited).join(' ')).toContain('--dev-bind /dev/null /dev/zero --remount-ro');
  expect(bubblewrapOptions(plan).join(' ')).not.toContain('/dev/zero');
});

it('arguments end in a zero byte', () => {
  expect(encodeArguments(['a', 'ü']).toString('utf8')).toBe('a\0ü\0');
});
