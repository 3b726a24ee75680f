/** Runs the tools that install things, with their output in a log and its tail in the error. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { SetupError } from './errors.mjs';

/** npm says first what is wrong, others last. */
const HEAD_LINES = 6;
const TAIL_LINES = 18;

/**
 * The full path of a program, or undefined.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 */
export function findProgram(name, env = process.env) {
  if (isAbsolute(name)) return existsSync(name) ? name : undefined;
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/**
 * What a quick command prints, trimmed; undefined when it is missing or fails.
 * @param {string} program
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string}} [options]
 */
export function capture(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000, ...options });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * Runs a command to its end. It dies with this process where `setpriv` is there, so that a killed set-up leaves no
 * installer behind that writes under the feet of the next one.
 * @param {string} program
 * @param {string[]} args
 * @param {{log: string, remedy: string, env?: NodeJS.ProcessEnv, cwd?: string, signal?: AbortSignal}} options
 */
export async function runLogged(program, args, { log, remedy, env = process.env, cwd, signal }) {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a');
  const offset = fstatSync(output).size;
  const setpriv = findProgram('setpriv', env);
  const command =
    setpriv === undefined ? [program, ...args] : [setpriv, '--pdeathsig', 'KILL', '--', program, ...args];
  const child = spawn(command[0], command.slice(1), { env, cwd, signal, stdio: ['ignore', output, output] });
  closeSync(output);
  const [code, killedBy] = await once(child, 'exit').catch((error) => {
    throw new SetupError(`${program} did not start: ${error.message}`, remedy, { cause: error });
  });
  if (code === 0) return;
  const ending = killedBy === null ? `ended with ${code}` : `was ended by ${killedBy}`;
  throw new SetupError(
    `${[program, ...args.slice(0, 3)].join(' ')} … ${ending}:\n${excerpt(log, offset)}`,
    `${remedy} Whole log: ${log}`,
  );
}

/**
 * What this run has written to the log: its beginning and its end.
 * @param {string} log
 * @param {number} offset
 */
function excerpt(log, offset) {
  const lines = readFileSync(log).subarray(offset).toString('utf8').trimEnd().split('\n');
  const shown =
    lines.length <= HEAD_LINES + TAIL_LINES
      ? lines
      : [...lines.slice(0, HEAD_LINES), '…', ...lines.slice(-TAIL_LINES)];
  return shown.map((line) => `  | ${line}`).join('\n');
}

/**
 * Installs a lock exactly as it is: every package by hash, prebuilt, nothing resolved. Nothing is compiled ahead either,
 * since most of it is never imported.
 * @param {string} python
 * @param {string} lock
 * @param {{log: string, remedy: string, target?: string}} options target: a folder instead of the environment
 */
export async function installLock(python, lock, { log, remedy, target }) {
  const quietly = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-compile'];
  const exactly = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', lock];
  const where = target === undefined ? [] : ['--target', target];
  await runLogged(python, ['-m', 'pip', 'install', ...quietly, ...exactly, ...where], { log, remedy });
}
