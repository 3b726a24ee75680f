/** The gVisor backend against the same hostile programs, where SECPI_RUNSC names a runsc. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGvisorSandbox } from '../../src/services/sandboxGvisor/index.ts';
import type { Toolchain } from '../../src/services/sandbox/index.ts';
import { openConformance, type Conformance } from './conformance.ts';
import { GVISOR_ANSWERS } from './gvisorAnswers.ts';
import { HOSTILE_PROGRAMS } from './hostilePrograms.ts';
import { processesWith, testToolchain, until } from './support.ts';

const runscPath = process.env['SECPI_RUNSC'];
if (runscPath === undefined) console.log('skipped: SECPI_RUNSC names no runsc, so gVisor is not tested');

describe.skipIf(runscPath === undefined)('gVisor', () => {
  let toolchain: Toolchain;
  let conformance: Conformance;
  beforeAll(async () => {
    process.env['SECPI_CANARY'] = 'secret of the launcher';
    toolchain = await testToolchain();
    const open = async () => await createGvisorSandbox({ toolchain, runscPath: runscPath ?? '' });
    conformance = await openConformance(toolchain, open);
  }, 300_000);
  afterAll(async () => await conformance[Symbol.asyncDispose]());

  const programs = HOSTILE_PROGRAMS.map((program) => {
    const answer = GVISOR_ANSWERS.find(({ program: start }) => program.name.startsWith(start));
    return { ...program, check: answer?.check ?? program.check };
  });
  it.each(programs.map((program) => [program.name, program] as const))('%s', async (_, program) => {
    expect(await conformance.attack(program)).toEqual([]);
  });

  it('runs a program on a kernel of its own, and tells how it ended', async () => {
    const { sandbox } = conformance;
    const release = await sandbox.run({ command: ['/usr/bin/uname', '-r'] });
    expect(release).toMatchObject({
      outcome: 'exited',
      exitCode: 0,
      stdout: expect.stringContaining('gvisor'),
    });
    const ended = await sandbox.run({ command: ['/bin/sh', '-c', 'echo no >&2; exit 3'] });
    expect(ended).toMatchObject({ outcome: 'exited', exitCode: 3, signalName: null, stderr: 'no\n' });
    const killed = await sandbox.run({ command: ['/bin/sh', '-c', 'kill -SEGV $$'] });
    expect(killed).toMatchObject({ outcome: 'exited', exitCode: null, signalName: 'SIGSEGV' });
    // runsc's own code for a failure to start, which a sample may imitate.
    const imitated = await sandbox.run({ command: ['/bin/sh', '-c', 'exit 128'] });
    expect(imitated).toMatchObject({ outcome: 'exited', exitCode: 128 });
  });

  it('shares a writable folder between sandboxes, and leaves no process behind', async () => {
    const { sandbox } = conformance;
    await using work = await sandbox.createWorkDir();
    const bound = { workDir: work.path, workWritable: true };
    await sandbox.run({ ...bound, command: ['/bin/sh', '-c', 'mkdir d; echo hello > d/f'] });
    const read = await sandbox.run({ workDir: work.path, command: ['/bin/cat', 'd/f'] });
    expect(read.stdout).toBe('hello\n');
    const wrote = await sandbox.run({ workDir: work.path, command: ['/bin/sh', '-c', 'echo x > d/g'] });
    expect(wrote.exitCode).not.toBe(0);
    const running = await sandbox.start({ command: ['/usr/bin/sleep', '600'] });
    const marker = `${toolchain.root}/gvisor/${process.pid}-`;
    expect(await until(() => processesWith(marker).length > 0, 20_000)).toBe(true);
    running.kill();
    expect((await running.done).outcome).toBe('aborted');
    expect(await until(() => processesWith(marker).length === 0, 20_000)).toBe(true);
  });

  it('passes what is written to it, and streams what it says', async () => {
    const running = await conformance.sandbox.start({ command: ['/bin/cat'] });
    const chunks: Buffer[] = [];
    running.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    running.stdin.end('through the pipe\n');
    expect(await running.done).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(Buffer.concat(chunks).toString()).toBe('through the pipe\n');
  });

  it('is refused with a reason where runsc is missing or does not start', async () => {
    for (const path of ['/nonexistent/runsc', '/usr/bin/false'])
      await expect(createGvisorSandbox({ toolchain, runscPath: path })).rejects.toMatchObject({
        code: 'SANDBOX_UNAVAILABLE',
      });
  });
});

it('answers otherwise than Linux only where a program asks for it', () => {
  const names = HOSTILE_PROGRAMS.map(({ name }) => name);
  for (const { program } of GVISOR_ANSWERS)
    expect(names.filter((name) => name.startsWith(program))).toHaveLength(1);
});
