/** The programs and libraries on this machine that CWEval's tests and samples need, and where each lies. */
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Toolchain } from '../../sandbox/index.ts';
import { isExecutable, isReadable, output, which, type Environment } from './programs.ts';
import { compiledSite, findPython, type PythonTool } from './python.ts';

export interface Program {
  readonly path: string;
  readonly version: string;
}

export interface NodeTool extends Program {
  /** Folders of NODE_PATH that exist. */
  readonly nodePath: readonly string[];
}

export interface GoTool extends Program {
  readonly root: string;
  /** The module cache; null where nothing was downloaded yet. */
  readonly modules: string | null;
}

export interface CwevalTools {
  readonly python: PythonTool | null;
  /** Of `compiledSite`. */
  readonly site: string | null;
  readonly node: NodeTool | null;
  readonly go: GoTool | null;
  readonly goimports: Program | null;
  readonly gcc: Program | null;
  readonly gpp: Program | null;
  /** C_INCLUDE_PATH and its like, where the environment sets them. */
  readonly libraryPaths: Readonly<Record<string, string>>;
}

const LIBRARY_VARIABLES = [
  'C_INCLUDE_PATH',
  'CPLUS_INCLUDE_PATH',
  'LIBRARY_PATH',
  'LD_LIBRARY_PATH',
  'PKG_CONFIG_PATH',
];

export interface ToolsRequest {
  readonly home: string;
  readonly environment: Environment;
  /** Python modules that tests and references import. */
  readonly modules: readonly string[];
  /** Packages of Node that references require. */
  readonly packages: readonly string[];
  readonly toolchain: Toolchain;
}

export async function findTools({
  home,
  environment,
  modules,
  packages,
  toolchain,
}: ToolsRequest): Promise<CwevalTools> {
  const [python, node, go, goimports, gcc, gpp] = await Promise.all([
    findPython(home, environment, modules),
    findNode(home, environment, packages),
    findGo(home, environment),
    findGoimports(environment),
    findProgram('gcc', environment, ['-dumpfullversion']),
    findProgram('g++', environment, ['-dumpfullversion']),
  ]);
  const libraryPaths: Record<string, string> = {};
  for (const name of LIBRARY_VARIABLES) {
    const value = environment[name];
    if (value !== undefined && value !== '') libraryPaths[name] = value;
  }
  const site = await compiledSite(toolchain, python);
  return { python, site, node, go, goimports, gcc, gpp, libraryPaths };
}

async function findNode(
  home: string,
  environment: Environment,
  packages: readonly string[],
): Promise<NodeTool | null> {
  const node = await findProgram('node', environment, ['--version']);
  if (node === null) return null;
  const named = environment['NODE_PATH']?.split(delimiter) ?? [];
  const near = { ...node, nodePath: await readableOf([...named, join(home, 'node_modules')]) };
  if (missingPackages(near, packages).length === 0) return near;
  // npm takes as long to answer as many gradings.
  const global = await output('npm', ['root', '-g'], environment);
  const all = [...near.nodePath, ...(await readableOf(global === null ? [] : [global]))];
  return { ...node, nodePath: [...new Set(all)] };
}

/** Without links, each once. */
async function readableOf(folders: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    folders.map(async (folder) =>
      folder !== '' && (await isReadable(folder)) ? await realpath(folder) : null,
    ),
  );
  return [...new Set(there.filter((folder) => folder !== null))];
}

/** Which of the packages cannot be found from NODE_PATH; built-in ones are always there. */
export function missingPackages({ nodePath }: NodeTool, packages: readonly string[]): string[] {
  const require = createRequire(join(import.meta.dirname, 'nowhere.js'));
  return packages.filter((name) => {
    if (process.getBuiltinModule(name) !== undefined) return false;
    try {
      require.resolve(name, { paths: nodePath.map((folder) => dirname(folder)) });
      return false;
    } catch {
      return true;
    }
  });
}

const goEnvironmentSchema = z.object({ GOROOT: z.string(), GOMODCACHE: z.string(), GOVERSION: z.string() });

/** In the checkout's folder: its go.mod may ask for another toolchain than the one on PATH. */
async function findGo(home: string, environment: Environment): Promise<GoTool | null> {
  const text = await output('go', ['env', '-json', 'GOROOT', 'GOMODCACHE', 'GOVERSION'], environment, home);
  if (text === null) return null;
  const { GOROOT, GOMODCACHE, GOVERSION } = goEnvironmentSchema.parse(JSON.parse(text));
  const modules = GOMODCACHE !== '' && (await isReadable(GOMODCACHE)) ? GOMODCACHE : null;
  return { path: join(GOROOT, 'bin', 'go'), version: GOVERSION, root: GOROOT, modules };
}

async function findGoimports(environment: Environment): Promise<Program | null> {
  const gopath = await output('go', ['env', 'GOPATH'], environment);
  const installed = gopath === null ? null : join(gopath, 'bin', 'goimports');
  const path =
    (await which('goimports', environment)) ??
    (installed !== null && (await isExecutable(installed)) ? installed : null);
  if (path === null) return null;
  const built = await output('go', ['version', '-m', path], environment);
  const version = /\tmod\t\S+\t(\S+)/.exec(built ?? '')?.[1] ?? 'unknown';
  return { path: await realpath(path), version };
}

async function findProgram(
  name: string,
  environment: Environment,
  versionArguments: readonly string[],
): Promise<Program | null> {
  const path = await which(name, environment);
  if (path === null) return null;
  const version = await output(path, versionArguments, environment);
  return version === null ? null : { path: await realpath(path), version };
}
