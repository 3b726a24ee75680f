/** Finds and prepares all that grading with a checkout needs; the driver and the doctor share it. */
import type { EvaluateSettings } from '../../../contract/recipe.ts';
import type { Sandbox, Toolchain } from '../../sandbox/index.ts';
import { readCatalogue } from './catalogue.ts';
import { findCheckout, type CwevalCheckout } from './checkout.ts';
import { readImports } from './modules.ts';
import { prepare, type Preparation } from './prepare.ts';
import { findUngradable, readTasks, type CwevalTask } from './tasks.ts';
import { findTools, type CwevalTools } from './tools.ts';

export interface CwevalOptions {
  /** Of the recipe; CWEVAL_HOME of the environment where not given. */
  readonly home: string | undefined;
  /** PATH, CWEVAL_HOME, CWEVAL_PYTHON, VIRTUAL_ENV, CONDA_PREFIX, NODE_PATH and the compilers' variables are read from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly settings: Pick<EvaluateSettings['cweval'], 'testSeconds'>;
}

export interface CwevalSetUp {
  readonly checkout: CwevalCheckout;
  readonly tools: CwevalTools;
  readonly tasks: readonly CwevalTask[];
  /** What tests and references import, of what the Python has. */
  readonly modules: readonly string[];
  readonly preparation: Preparation;
  /** By task id, why it cannot be graded here. */
  readonly ungradable: ReadonlyMap<string, string>;
}

/**
 * The first call for a checkout and a set of tools asks upstream's code for its tasks and tests, precompiles headers and
 * fills a cache of Go (minutes); later ones find all that below the toolchain's root.
 * @throws SecpiError BENCHMARK_UNAVAILABLE with field and remedy; SANDBOX_UNAVAILABLE.
 */
export async function setUpCweval({
  home,
  environment,
  sandbox,
  toolchain,
}: Omit<CwevalOptions, 'settings'>): Promise<CwevalSetUp> {
  const checkout = await findCheckout({ home, environment });
  const { modules, packages } = await readImports(checkout.home);
  const tools = await findTools({ home: checkout.home, environment, modules, packages, toolchain });
  const catalogue = await readCatalogue({ sandbox, toolchain, checkout, tools });
  const tasks = await readTasks(checkout, catalogue);
  const languages = new Set(tasks.map(({ language }) => language));
  const preparation = await prepare({ sandbox, toolchain, checkout, tools, catalogue, languages });
  const ungradable = await findUngradable(tasks, {
    checkout,
    catalogue,
    tools,
    problems: preparation.problems,
  });
  const missing = tools.python?.missing ?? modules;
  const present = modules.filter((name) => !missing.includes(name));
  return { checkout, tools, tasks, modules: present, preparation, ungradable };
}
