/** `secpi doctor baxbench`: whether BaxBench can be driven here, each need by itself, with what to do. */
import { evaluateSchema } from '../../contract/recipe.ts';
import {
  findEngine,
  openCheckout,
  readCatalogue,
  type Checkout,
} from '../../services/benchmarks/baxbench/index.ts';
import { complain, exitCodes } from '../exit.ts';
import { readSettings } from '../settings.ts';

export async function doctorBaxbench(): Promise<number> {
  const { env } = readSettings(process.env);
  let failures = 0;
  const check = async <T>(name: string, work: () => Promise<readonly [string, T]>): Promise<T | null> => {
    try {
      const [text, found] = await work();
      process.stdout.write(`✓ ${name.padEnd(10)} ${text}\n`);
      return found;
    } catch (error) {
      failures += 1;
      process.stdout.write(`✗ ${name.padEnd(10)} ${complain(error).text.replaceAll('\n', '\n  ')}\n`);
      return null;
    }
  };
  const checkout = await check('checkout', async () => {
    const found = await openCheckout(env['BAXBENCH_HOME']);
    return [`${found.home}, ${found.commit === null ? 'no git commit' : `commit ${found.commit}`}`, found];
  });
  if (checkout === null) process.stdout.write('· Python     not asked: it needs the checkout\n');
  else await check('Python', async () => [await describePython(checkout, env['BAXBENCH_PYTHON']), null]);
  await check('engine', async () => {
    const engine = await findEngine({
      dockerHost: env['DOCKER_HOST'],
      xdgRuntimeDir: env['XDG_RUNTIME_DIR'],
    });
    return [engine.description, null];
  });
  return failures === 0 ? exitCodes.ok : exitCodes.stackTrouble;
}

async function describePython(checkout: Checkout, python: string | undefined): Promise<string> {
  const { pythonVersion, tasks } = await readCatalogue({
    checkout,
    python,
    settings: evaluateSchema.parse({}),
  });
  const scenarios = new Set(tasks.map(({ scenario }) => scenario)).size;
  const envs = new Set(tasks.map(({ env }) => env)).size;
  return `${pythonVersion} with all packages; ${scenarios} scenarios × ${envs} frameworks = ${tasks.length} tasks`;
}
