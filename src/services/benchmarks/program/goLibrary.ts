/**
 * Go's standard library, compiled once: in the sandbox the compiler and the linker then run by themselves, in a fifth of
 * a second, and need neither a writable cache nor the network.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { publishFolder, type Toolchain } from '../../sandbox/index.ts';
import type { GoToolchain } from './tools.ts';

const execute = promisify(execFile);

/** Raise when the layout of the folder changes. */
const LAYOUT_VERSION = 1;
/** Some 40 seconds of CPU time. */
const BUILD_MS = 1_800_000;

/** Where it appears inside; `importcfg` in it names every archive. */
export const GO_LIBRARY_INSIDE = '/golibrary';

/**
 * The staged folder, some 160 MB; minutes of work when it is not there yet.
 * @throws SecpiError SANDBOX_UNAVAILABLE when Go cannot build its own library.
 */
export async function stageGoLibrary({ root }: Pick<Toolchain, 'root'>, go: GoToolchain): Promise<string> {
  const identity = JSON.stringify([LAYOUT_VERSION, go.version, go.root, process.arch]);
  const key = createHash('sha256').update(identity).digest('hex').slice(0, 16);
  const target = join(root, 'go-library', key);
  await publishFolder(target, async (draft) => {
    const cache = await mkdtemp(join(tmpdir(), 'secpi-go-'));
    try {
      const lines: string[] = [];
      await mkdir(join(draft, 'lib'));
      for (const [index, { name, file }] of (await compiledPackages(go, cache)).entries()) {
        await copyFile(file, join(draft, 'lib', `${index}.a`));
        lines.push(`packagefile ${name}=${GO_LIBRARY_INSIDE}/lib/${index}.a`);
      }
      await writeFile(join(draft, 'importcfg'), `${lines.join('\n')}\n`);
    } finally {
      await rm(cache, { recursive: true, force: true });
    }
  });
  return target;
}

async function compiledPackages(go: GoToolchain, cache: string): Promise<{ name: string; file: string }[]> {
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: cache,
    GOPATH: join(cache, 'path'),
    GOCACHE: join(cache, 'cache'),
    GOENV: 'off',
    GOTOOLCHAIN: 'local',
    GOPROXY: 'off',
    GOFLAGS: '-mod=mod',
    CGO_ENABLED: '0',
  };
  const format = '{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}';
  try {
    const { stdout } = await execute(go.path, ['list', '-trimpath', '-export', '-f', format, 'std'], {
      env,
      cwd: cache,
      timeout: BUILD_MS,
      maxBuffer: 4 * 1024 ** 2,
    });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ name: line.slice(0, line.indexOf('=')), file: line.slice(line.indexOf('=') + 1) }));
  } catch (cause) {
    throw new SecpiError(
      'SANDBOX_UNAVAILABLE',
      `${go.path} cannot compile Go's standard library: ${messageOf(cause).slice(0, 500)}.`,
      { remedy: 'Install Go anew, or take it off PATH: the Go tasks are then left out and named.', cause },
    );
  }
}
