/** Looking for programs, and asking them. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export type Environment = Readonly<Record<string, string | undefined>>;

const PROBE_MS = 60_000;

/** What a program prints; null where it is missing or fails. */
export async function output(
  command: string,
  args: readonly string[],
  environment: Environment,
  cwd?: string,
): Promise<string | null> {
  try {
    const { stdout } = await execute(command, args, { env: definedOf(environment), timeout: PROBE_MS, cwd });
    return stdout.trim();
  } catch {
    return null;
  }
}

function definedOf(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export async function which(name: string, environment: Environment): Promise<string | null> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return null;
}

export async function isExecutable(path: string): Promise<boolean> {
  return await allowed(path, constants.X_OK);
}

export async function isReadable(path: string): Promise<boolean> {
  return await allowed(path, constants.R_OK);
}

async function allowed(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}
