import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../sandbox/index.ts';
import { mountsOf, ociConfig, type GvisorPlan } from './bundle.ts';

const plan: GvisorPlan = {
  request: { command: ['python3', '-c', 'pass'], env: { NAME: 'value', HOME: '/work' } },
  limits: DEFAULT_LIMITS,
  rootfs: '/cache/gvisor/1-x/rootfs',
  etcDir: '/cache/etc',
  rootFolders: [],
  toolchainDir: '/cache/toolchain',
  ownsWork: false,
  arch: 'x64',
};
const withRequest = (request: Partial<GvisorPlan['request']>): GvisorPlan => ({
  ...plan,
  request: { ...plan.request, ...request },
});

describe('ociConfig', () => {
  it('starts without environment, privilege or network, on a root that cannot be written', () => {
    const config = ociConfig(plan);
    expect(config).toMatchObject({
      root: { path: plan.rootfs, readonly: true },
      process: {
        user: { uid: 65_534, gid: 65_534 },
        env: [],
        noNewPrivileges: true,
        capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      },
    });
    expect(JSON.stringify(config)).toContain('"type":"network"');
  });

  it('hands the variables to the command alone, the caller’s over the usual ones', () => {
    expect(ociConfig(plan)).toMatchObject({
      process: {
        args: expect.arrayContaining([
          '/usr/bin/env',
          '-i',
          'PATH=/usr/bin:/bin',
          'HOME=/work',
          'NAME=value',
        ]),
      },
    });
    expect(JSON.stringify(ociConfig(plan))).not.toContain('HOME=/tmp');
  });

  it('is the owner of a work folder, which a rootless gVisor knows as 0', () => {
    expect(ociConfig({ ...plan, ownsWork: true })).toMatchObject({ process: { user: { uid: 0, gid: 0 } } });
  });

  it('sets every limit, and none of the address space where there is none', () => {
    const limits = { ...DEFAULT_LIMITS, processes: 40, cpuSeconds: 5, fileBytes: 7, openFiles: 64 };
    const rlimits = (of: GvisorPlan) =>
      Object.fromEntries(
        [...JSON.stringify(ociConfig(of)).matchAll(/"type":"(RLIMIT_\w+)","soft":(\d+),"hard":\2/g)].map(
          ([, type = '', value]) => [type, Number(value)],
        ),
      );
    expect(rlimits({ ...plan, limits })).toEqual({
      RLIMIT_CPU: 5,
      RLIMIT_AS: DEFAULT_LIMITS.addressSpaceBytes,
      RLIMIT_NPROC: 41,
      RLIMIT_FSIZE: 7,
      RLIMIT_NOFILE: 64,
      RLIMIT_CORE: 0,
    });
    const unbounded = rlimits({ ...plan, limits: { ...limits, addressSpaceBytes: null } });
    expect(Object.keys(unbounded)).not.toContain('RLIMIT_AS');
  });

  it('refuses what the other backend refuses, by the architecture’s names', () => {
    const text = (arch: GvisorPlan['arch']) => JSON.stringify(ociConfig({ ...plan, arch }));
    for (const name of ['mount', 'io_uring_setup', 'keyctl', 'ptrace', 'userfaultfd', 'bpf'])
      expect(text('arm64')).toContain(`"${name}"`);
    expect(text('x64')).toContain('"modify_ldt"');
    expect(text('arm64')).not.toContain('"modify_ldt"');
    expect(text('x64')).not.toContain('"clone3"');
  });
});

describe('mountsOf', () => {
  const byPlace = (of: GvisorPlan) =>
    Object.fromEntries(mountsOf(of).map((mount) => [mount.destination, mount]));

  it('sizes each place that can be written, and shows the rest read-only', () => {
    const mounts = byPlace(plan);
    for (const place of ['/tmp', '/work', '/dev/shm'])
      expect(mounts[place]).toMatchObject({
        type: 'tmpfs',
        options: expect.arrayContaining(['size=67108864']),
      });
    for (const place of ['/usr', '/etc', '/proc', '/toolchain'])
      expect(mounts[place]?.options).toEqual(expect.arrayContaining(['ro', 'nosuid']));
  });

  it('binds a work folder read-only unless it may be written, and further folders read-only', () => {
    const readOnly = [{ host: '/data', inside: '/harness' }];
    const mounts = byPlace(withRequest({ workDir: '/runs/a', readOnly }));
    expect(mounts['/work']).toMatchObject({ source: '/runs/a', options: expect.arrayContaining(['ro']) });
    expect(mounts['/harness']).toMatchObject({ source: '/data', options: expect.arrayContaining(['ro']) });
    const writable = byPlace(withRequest({ workDir: '/runs/a', workWritable: true }));
    expect(writable['/work']?.options).toContain('rw');
  });

  it('binds a root that is not merged into /usr', () => {
    expect(byPlace({ ...plan, rootFolders: ['/lib'] })['/lib']).toMatchObject({ source: '/lib' });
  });
});
