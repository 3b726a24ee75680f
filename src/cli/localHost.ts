/** This machine as a worker of it would be configured: for commands that do a worker's work without Temporal. */
import { existsSync } from 'node:fs';
import { readWorkerConfig, type WorkerConfig } from '../workers/config.ts';
import { readSettings } from './settings.ts';
import { statePaths } from './stack/stackState.ts';
import { locateTools } from './tools.ts';

export interface LocalHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly config: WorkerConfig;
}

/** Before a set-up the ordinary `python3` has to do. */
export function localHost(): LocalHost {
  const settings = readSettings(process.env);
  const tools = locateTools(settings.root, settings.env);
  const environment = {
    ...settings.env,
    SECPI_CACHE: tools.cache,
    SECPI_STATE: statePaths(settings.state).work,
    ...(existsSync(tools.python) ? { SECPI_PYTHON: tools.python } : {}),
  };
  return { environment, config: readWorkerConfig(environment) };
}
