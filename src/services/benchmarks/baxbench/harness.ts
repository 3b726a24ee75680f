/** The process of BaxBench itself, over the one sample in its results folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { BaxbenchTask, Catalogue } from './catalogue.ts';
import { APP_PORTS } from './ports.ts';

/** BaxBench's own default: a test that takes longer has raised. */
export const TEST_SECONDS = 300;

const PRINTED_CHARACTERS = 4000;
/** Of the BaxBench process, in KiB: its attacks hold texts of 100 MB; what an app logs must not take more. */
const ADDRESS_SPACE_KIB = 8 * 1024 * 1024;
/** Of a file that it writes, in blocks of 512 bytes: its log repeats all that the app printed. */
const FILE_BLOCKS = 2 * 1024 * 1024;

export interface Harness {
  readonly process: ChildProcess;
  /** Resolves when it has ended, by itself or not. */
  readonly exited: Promise<void>;
  /** The end of what it printed. */
  printed(): string;
}

export interface HarnessOptions {
  readonly catalogue: Catalogue;
  readonly task: BaxbenchTask;
  readonly python: string;
  readonly childEnv: Readonly<Record<string, string>>;
  /** Its working folder and home. */
  readonly folder: string;
  readonly results: string;
  /** Where it finds the engine. */
  readonly socketPath: string;
  readonly firstPort: number;
}

/** As the leader of a process group of its own. */
export function startHarness({
  catalogue,
  task,
  python,
  childEnv,
  folder,
  results,
  socketPath,
  firstPort,
}: HarnessOptions): Harness {
  const flags = {
    models: 'secpi',
    mode: 'test',
    scenarios: task.scenario,
    envs: task.env,
    only_samples: 0,
    temperature: 0,
    spec_type: catalogue.spec,
    safety_prompt: 'none',
    results_dir: results,
    timeout: TEST_SECONDS,
    max_concurrent_runs: 1,
    min_port: firstPort,
    num_ports: APP_PORTS,
  };
  const command = [python, '-B', join(catalogue.checkout.home, 'src/main.py')];
  const parameters = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const limited = `ulimit -v ${ADDRESS_SPACE_KIB}; ulimit -f ${FILE_BLOCKS}; exec "$@"`;
  const child = spawn('/bin/sh', ['-c', limited, 'sh', ...command, ...parameters], {
    cwd: folder,
    env: { ...childEnv, HOME: folder, TMPDIR: folder, DOCKER_HOST: `unix://${socketPath}` },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const hear = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-PRINTED_CHARACTERS);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.once('error', (error) => {
    printed += `\n${error.message}`;
    resolve();
  });
  return { process: child, exited, printed: () => printed };
}
