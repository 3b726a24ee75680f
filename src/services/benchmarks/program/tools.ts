/** The compilers of this machine, as far as the sandbox can show them. */
import { execFile } from 'node:child_process';
import { readdir, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import type { Toolchain } from '../../sandbox/index.ts';
import { languageInfo, type SuiteLanguage } from '../suite/languages.ts';

const execute = promisify(execFile);
const PROBE_MS = 60_000;

export interface Compiler {
  /** Below /usr, which every sandbox shows. */
  readonly path: string;
  readonly version: string;
  /** Null where AddressSanitizer and UndefinedBehaviorSanitizer are there; else what is missing. */
  readonly withoutSanitizers: string | null;
}

export interface GoToolchain {
  readonly path: string;
  readonly version: string;
  /** GOROOT; anywhere on the machine. */
  readonly root: string;
}

export interface ProgramTools {
  readonly gcc: Compiler | null;
  readonly gpp: Compiler | null;
  readonly go: GoToolchain | null;
  readonly node: string;
  readonly pytest: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `environment`: PATH is read from it, and further folders where distributions and Go's own archive put Go. */
export async function findProgramTools(
  toolchain: Toolchain,
  environment: Environment,
): Promise<ProgramTools> {
  const [gcc, gpp, go, node, pytest] = await Promise.all([
    findCompiler('/usr/bin/gcc'),
    findCompiler('/usr/bin/g++'),
    findGo(environment),
    output(join(toolchain.dir, 'bin', 'node'), ['--version']),
    pytestVersion(toolchain),
  ]);
  return { gcc, gpp, go, node: node?.replace(/^v/, '') ?? 'unknown', pytest };
}

/** What a language of the suite lacks here, e.g. "c++: g++ is missing"; null when nothing. */
export function missingTool(
  language: SuiteLanguage,
  { gcc, gpp, go }: Pick<ProgramTools, 'gcc' | 'gpp' | 'go'>,
): string | null {
  const missing = (compiler: Compiler | null, name: string): string | null => {
    if (compiler === null) return `${languageInfo[language].name}: ${name} is missing`;
    const { withoutSanitizers } = compiler;
    return withoutSanitizers === null
      ? null
      : `${languageInfo[language].name}: ${withoutSanitizers} is missing`;
  };
  switch (language) {
    case 'py':
    case 'js':
    case 'ts':
      return null;
    case 'c':
      return missing(gcc, 'gcc');
    case 'cpp':
      return missing(gpp, 'g++');
    case 'go':
      return go === null ? 'go: go is missing' : null;
  }
}

async function findCompiler(path: string): Promise<Compiler | null> {
  const version = await output(path, ['-dumpfullversion']);
  if (version === null) return null;
  const missing: string[] = [];
  for (const library of ['libasan.so', 'libubsan.so']) {
    // A library that is not there is printed by its bare name.
    const found = await output(path, [`-print-file-name=${library}`]);
    if (found === null || !isAbsolute(found)) missing.push(library);
  }
  const withoutSanitizers = missing.length === 0 ? null : `${missing.join(' and ')} of gcc ${version}`;
  return { path, version, withoutSanitizers };
}

async function findGo(environment: Environment): Promise<GoToolchain | null> {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, '/usr/local/go/bin', '/usr/lib/go/bin']) {
    const said = await output(join(folder, 'go'), ['env', 'GOROOT', 'GOVERSION']);
    const [root, version] = said?.split('\n') ?? [];
    if (root === undefined || version === undefined) continue;
    return { path: join(root, 'bin', 'go'), version: version.replace(/^go/, ''), root: await realpath(root) };
  }
  return null;
}

async function pytestVersion({ dir }: Toolchain): Promise<string> {
  const names = await readdir(join(dir, 'site'));
  return names.map((name) => /^pytest-(.+)\.dist-info$/.exec(name)?.[1]).find((found) => found) ?? 'unknown';
}

/** What a program prints; null where it is missing or fails. */
async function output(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const env = { PATH: '/usr/bin:/bin', HOME: '/tmp', LANG: 'C', GOTOOLCHAIN: 'local' };
    return (await execute(command, args, { timeout: PROBE_MS, env, cwd: '/' })).stdout.trim();
  } catch {
    return null;
  }
}
