import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  DENIED_SYSCALLS,
  INSPECTED_SYSCALLS,
  seccompProgram,
  type SeccompArch,
  type SeccompOptions,
} from './seccomp.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (number: number) => 0x00050000 | number;
const EPERM = errno(1);
const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** What the kernel would do: an interpreter for the four instructions that the program uses. */
function decide(
  arch: SeccompArch,
  call: { nr: number; audit?: number; args?: readonly bigint[] },
  options?: SeccompOptions,
): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr >>> 0, 0);
  data.writeUInt32LE(call.audit ?? AUDIT[arch], 4);
  (call.args ?? []).forEach((value, index) => data.writeBigUInt64LE(value, 16 + 8 * index));
  const program = seccompProgram(arch, options);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const [code, yes, no, k] = [
      program.readUInt16LE(at),
      program[at + 2] ?? 0,
      program[at + 3] ?? 0,
      program.readUInt32LE(at + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x06) return k;
    else if (code === 0x15) at += 8 * (accumulator === k ? yes : no);
    else if (code === 0x35) at += 8 * (accumulator >= k ? yes : no);
    else if (code === 0x45) at += 8 * ((accumulator & k) === 0 ? no : yes);
    else throw new Error(`instruction ${code}`);
  }
  throw new Error('the program ran off its end');
}

const archs = ['x64', 'arm64'] as const;
const number = (table: typeof INSPECTED_SYSCALLS, name: string, arch: SeccompArch): number => {
  const value = table[name]?.[arch === 'x64' ? 0 : 1];
  if (value === undefined) throw new Error(name);
  return value;
};

describe.each(archs)('the filter for %s', (arch) => {
  const column = arch === 'x64' ? 0 : 1;

  it('refuses every call of the list and allows all its neighbours', () => {
    const denied = new Set(Object.values(DENIED_SYSCALLS).map((columns) => columns[column]));
    const inspected = new Set(Object.values(INSPECTED_SYSCALLS).map((columns) => columns[column]));
    for (let nr = 0; nr < 600; nr += 1) {
      if (inspected.has(nr)) continue;
      expect([nr, decide(arch, { nr })]).toEqual([nr, denied.has(nr) ? EPERM : ALLOW]);
    }
  });

  it('kills a call of another architecture', () => {
    for (const audit of [0x40000003, 0x40000028, AUDIT[arch === 'x64' ? 'arm64' : 'x64'], 0]) {
      expect(decide(arch, { nr: 1, audit })).toBe(KILL);
    }
  });

  it('lets clone make processes and threads but no namespace, and hides clone3', () => {
    const clone = number(INSPECTED_SYSCALLS, 'clone', arch);
    expect(decide(arch, { nr: clone, args: [17n] })).toBe(ALLOW);
    expect(decide(arch, { nr: clone, args: [0x3d0f00n] })).toBe(ALLOW);
    for (const bit of [17n, 25n, 26n, 27n, 28n, 29n, 30n]) {
      expect(decide(arch, { nr: clone, args: [(1n << bit) | 17n] })).toBe(EPERM);
    }
    expect(decide(arch, { nr: number(INSPECTED_SYSCALLS, 'clone3', arch) })).toBe(errno(38));
  });

  it('allows unix and IP sockets only, and no keystrokes', () => {
    for (const name of ['socket', 'socketpair']) {
      const nr = number(INSPECTED_SYSCALLS, name, arch);
      for (let family = 0n; family < 50n; family += 1n) {
        const wanted = [1n, 2n, 10n].includes(family) ? ALLOW : errno(97);
        // The high half is no part of an int argument.
        expect(decide(arch, { nr, args: [family | (7n << 32n)] })).toBe(wanted);
      }
    }
    const nr = number(INSPECTED_SYSCALLS, 'ioctl', arch);
    expect(decide(arch, { nr, args: [0n, 0x5412n] })).toBe(EPERM);
    expect(decide(arch, { nr, args: [0n, 0x541cn] })).toBe(EPERM);
    expect(decide(arch, { nr, args: [0n, 0x5401n] })).toBe(ALLOW);
  });
});

it.each(archs)('anonymous shared mappings on %s can be refused, others not', (arch) => {
  const mmap = (flags: bigint, options?: SeccompOptions) =>
    decide(arch, { nr: number(INSPECTED_SYSCALLS, 'mmap', arch), args: [0n, 4096n, 3n, flags] }, options);
  const [shared, isPrivate, validated, anonymous, noReserve] = [0x1n, 0x2n, 0x3n, 0x20n, 0x4000n];
  expect(mmap(shared | anonymous)).toBe(ALLOW);
  expect(mmap(shared | anonymous, { sharedMemory: false })).toBe(EPERM);
  expect(mmap(validated | anonymous | noReserve, { sharedMemory: false })).toBe(EPERM);
  expect(mmap(isPrivate | anonymous | noReserve, { sharedMemory: false })).toBe(ALLOW);
  expect(mmap(shared, { sharedMemory: false })).toBe(ALLOW);
});

it('x32 calls do not exist on x86_64', () => {
  expect(decide('x64', { nr: 0x40000000 })).toBe(errno(38));
  expect(decide('x64', { nr: 0x40000000 | 165 })).toBe(errno(38));
});

const HEADERS = [
  '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  '/usr/include/asm-generic/unistd.h',
] as const;

it.runIf(HEADERS.every((path) => existsSync(path)))('the numbers are those of the kernel headers', () => {
  const tables = HEADERS.map((path) => {
    const defines = readFileSync(path, 'utf8').matchAll(/^#define (?:__NR_|__NR3264_)(\w+)\s+(\d+)/gm);
    return new Map([...defines].map(([, name, value]) => [name, Number(value)]));
  });
  for (const [name, columns] of Object.entries({ ...DENIED_SYSCALLS, ...INSPECTED_SYSCALLS })) {
    tables.forEach((table, column) =>
      expect([name, table.get(name) ?? null]).toEqual([name, columns[column]]),
    );
  }
});
