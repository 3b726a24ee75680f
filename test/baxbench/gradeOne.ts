/** Child process: makes a driver over a lab that another process holds, and grades one reply. To be killed in the middle. */
import { evaluateSchema } from '../../src/contract/recipe.ts';
import { createBaxbenchDriver } from '../../src/services/benchmarks/baxbench/index.ts';
import { app, checkoutHome, limits, never } from './lab.ts';

const [, , root = '', python = '', behaviour = ''] = process.argv;
const driver = await createBaxbenchDriver({
  home: checkoutHome,
  environment: { DOCKER_HOST: `unix://${root}/engine.sock`, BAXBENCH_PYTHON: python },
  settings: evaluateSchema.parse({}),
  workRoot: root,
});
const grade = await driver.grade({
  taskId: 'Sums/Python-Tiny',
  reply: app(behaviour),
  limits,
  signal: never,
});
await driver.close();
process.stdout.write(`${JSON.stringify(grade)}\n`);
