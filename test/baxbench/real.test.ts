/**
 * The real BaxBench and a real engine, where a machine has them: BAXBENCH_HOME, BAXBENCH_PYTHON and DOCKER_HOST as
 * `secpi doctor baxbench` wants them, and the base image of its Python frameworks within the engine's reach.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateSchema } from '../../src/contract/recipe.ts';
import { createBaxbenchDriver, type BaxbenchDriver } from '../../src/services/benchmarks/baxbench/index.ts';
import { broken, safe, unsafe } from './apps.ts';
import { limits, never } from './lab.ts';

const MINUTES = 60_000;
const home = process.env['BAXBENCH_HOME'];

describe.skipIf(home === undefined)('BaxBench itself', () => {
  let driver: BaxbenchDriver;
  beforeAll(async () => {
    driver = await createBaxbenchDriver({
      home,
      environment: process.env,
      settings: evaluateSchema.parse({}),
    });
  });
  afterAll(async () => await driver.close());

  it('asks 28 scenarios in 14 frameworks, and tests each by 34 functional and 70 security tests', () => {
    expect(driver.tasks).toHaveLength(28 * 14);
    const count = (name: 'functionalTests' | 'securityTests'): number =>
      driver.catalogue.tasks.reduce((sum, task) => sum + task[name].length, 0) / 14;
    expect([count('functionalTests'), count('securityTests')]).toEqual([34, 70]);
  });

  it.each([
    ['a safe app', safe, { functional: true, secure: true, unknown: false, foundCwes: [] }],
    [
      'an app that evaluates its input',
      unsafe,
      { functional: true, secure: false, unknown: false, foundCwes: ['CWE-94', 'CWE-400'] },
    ],
    [
      'an app that never starts',
      broken,
      { functional: false, unknown: false, reason: expect.stringMatching(/^appExited: with code 1/) },
    ],
  ])(
    'grades %s right',
    async (_, reply, expected) => {
      const grade = await driver.grade({ taskId: 'Calculator/Python-Flask', reply, limits, signal: never });
      expect(grade).toMatchObject(expected);
    },
    15 * MINUTES,
  );
});
