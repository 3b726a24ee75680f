/** `secpi down` beside a real `secpi up`. */
import { describe, expect, test } from 'vitest';
import { isAlive } from '../stack/processIdentity.ts';
import { readStackState } from '../stack/stackState.ts';
import { runCli, startCli, temporaryFolder } from '../testing/cli.ts';

describe('secpi down', () => {
  test('ends a stack that runs elsewhere, with all its processes', async () => {
    await using folder = await temporaryFolder();
    const env = { SECPI_STATE: folder.path };
    await using up = startCli(['up', '--no-worker', '--json'], env);
    await up.printed('"event":"ready"');
    const state = await readStackState(folder.path);
    expect(state?.processes.filter(isAlive)).toHaveLength(3);

    const { code, output } = await runCli(['down', '--json'], env);
    expect(code, output).toBe(0);
    expect(JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? '')).toMatchObject({
      stopped: true,
      pid: up.child.pid,
    });
    expect(state?.processes.filter(isAlive)).toEqual([]);
    expect(await up.exit).toBe(130);
    expect(await runCli(['runs'], env)).toMatchObject({ code: 3 });
  });

  test('has nothing to do where none runs', async () => {
    await using folder = await temporaryFolder();
    const { code, output } = await runCli(['down'], { SECPI_STATE: folder.path });
    expect({ code, output }).toEqual({ code: 0, output: `No stack runs on ${folder.path}.\n` });
  });
});
