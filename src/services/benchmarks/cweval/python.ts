/** The Python that has what upstream's tests import, and where it loads from. */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { publishFolder, type Toolchain } from '../../sandbox/index.ts';
import { isExecutable, which, type Environment } from './programs.ts';

const execute = promisify(execFile);
/** Importing all modules from a cold disk. */
const PROBE_MS = 60_000;

export interface PythonTool {
  /** The interpreter, by the name that tells Python which environment it is of. */
  readonly path: string;
  readonly version: string;
  /** Folders that it loads from, outside /usr. */
  readonly folders: readonly string[];
  /** Of the modules asked for. */
  readonly missing: readonly string[];
  /** "lxml 5.3.0" of the modules asked for. */
  readonly packages: readonly string[];
}

/**
 * The toolchain's packages, with byte code for this Python: the toolchain has it for its own version alone, and compiling
 * pytest anew costs each run a second. Null where the versions agree. Made once, below the toolchain's root.
 */
export async function compiledSite(
  { root, dir, pythonVersion }: Pick<Toolchain, 'root' | 'dir' | 'pythonVersion'>,
  python: PythonTool | null,
): Promise<string | null> {
  const minor = (version: string): string => version.split('.', 2).join('.');
  if (python === null || minor(python.version) === minor(pythonVersion)) return null;
  const folder = join(root, 'cweval', `site-${basename(dir)}-${minor(python.version)}`);
  await publishFolder(folder, async (draft) => {
    await cp(join(dir, 'site'), draft, { recursive: true });
    const byteCode = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', draft];
    await execute(python.path, ['-I', ...byteCode]);
  });
  return folder;
}

/** Candidates in order, without those that are not there. */
export async function pythonCandidates(home: string, environment: Environment): Promise<string[]> {
  const inFolder = (folder: string | undefined): string[] =>
    folder === undefined || folder === '' ? [] : [join(folder, 'bin', 'python')];
  const named = environment['CWEVAL_PYTHON'];
  if (named !== undefined && named !== '') return [named];
  const onPath = await which('python3', environment);
  const all = [
    ...inFolder(join(home, '.venv')),
    ...inFolder(environment['VIRTUAL_ENV']),
    ...inFolder(environment['CONDA_PREFIX']),
    ...(onPath === null ? [] : [onPath]),
    '/usr/bin/python3',
  ];
  const there = await Promise.all(all.map(async (path) => ((await isExecutable(path)) ? path : null)));
  return [...new Set(there.filter((path) => path !== null))];
}

const probeSchema = z.object({
  path: z.string(),
  version: z.string(),
  folders: z.array(z.string()),
  missing: z.array(z.string()),
  packages: z.array(z.string()),
});

/** Prints what it can import of its arguments, and where it loads from. */
const PROBE = `
import importlib, importlib.metadata, json, os, sys
missing, packages, owners = [], [], importlib.metadata.packages_distributions() if sys.version_info >= (3, 10) else {}
for name in sys.argv[1:]:
    if name in sys.stdlib_module_names:
        continue
    try:
        importlib.import_module(name)
        packages += [f"{owner} {importlib.metadata.version(owner)}" for owner in owners.get(name, [])]
    except Exception:
        missing.append(name)
folders = {sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))}
folders |= {path for path in sys.path if os.path.isdir(path)}
print(json.dumps({"path": sys.executable, "version": ".".join(map(str, sys.version_info[:3])),
                  "folders": sorted(folders), "missing": missing, "packages": sorted(set(packages))}))
`;

/** The first that lacks nothing, else the one that lacks the fewest modules. */
export async function findPython(
  home: string,
  environment: Environment,
  modules: readonly string[],
): Promise<PythonTool | null> {
  let best: PythonTool | null = null;
  for (const candidate of await pythonCandidates(home, environment)) {
    const found = await probePython(candidate, modules);
    if (found === null) continue;
    if (best === null || found.missing.length < best.missing.length) best = found;
    if (best.missing.length === 0) break;
  }
  return best;
}

async function probePython(path: string, modules: readonly string[]): Promise<PythonTool | null> {
  try {
    const { stdout } = await execute(path, ['-I', '-c', PROBE, ...modules], { timeout: PROBE_MS });
    const found = probeSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    return { ...found, folders: outermost(found.folders) };
  } catch {
    return null; // too old for what the probe asks (3.10), or no Python: the next candidate is asked
  }
}

/** Without what /usr holds, which every sandbox shows, and without folders inside other ones. */
export function outermost(folders: readonly string[]): string[] {
  const outside = [...new Set(folders)]
    .filter((folder) => folder !== '/usr' && !folder.startsWith('/usr/'))
    .sort();
  return outside.filter(
    (folder) => !outside.some((other) => other !== folder && folder.startsWith(`${other}/`)),
  );
}
