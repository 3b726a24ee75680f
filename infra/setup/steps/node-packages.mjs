/** node_modules, Node 24 among them. It fits when npm's own record of the installed tree agrees with the lock. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capture, findProgram, runLogged } from '../commands.mjs';
import { SetupError } from '../errors.mjs';
import { isClone } from '../findNode.mjs';
import { readStamp, removeFile, removeTree, sha256, sizeBytes, writeStamp } from '../files.mjs';

const REMEDY = 'Check that the npm registry is reachable, then run the same command again.';

/** @param {import('../layout.mjs').Layout} places */
export async function nodePackages(places) {
  if (!isClone(places.root)) return { made: false, note: 'installed with this package' };
  const lock = await readFile(join(places.root, 'package-lock.json'), 'utf8');
  const madeFrom = sha256(lock);
  const stampPath = join(places.root, 'node_modules/.secpi-setup.json');
  if ((await fits(places, lock)) && existsSync(places.node)) {
    const stamp = await readStamp(stampPath);
    return { made: false, bytes: stamp?.madeFrom === madeFrom ? stamp.bytes : undefined };
  }
  // Where the record or Node is missing, an install was cut off: npm would take half-written packages for whole.
  const record = recordPath(places);
  if (!existsSync(record) || !existsSync(places.node)) removeTree(join(places.root, 'node_modules'));
  await removeFile(record);
  const [program, ...args] = npmCommand();
  // Not `npm ci`: it refuses a lock that lacks the packages of platforms for which a registry does not have them.
  // The lock stays as it is, and the check below holds every installed version and hash against it.
  await runLogged(
    program,
    [...args, 'install', '--no-save', '--include=dev', '--include=optional', '--loglevel=error'],
    { cwd: places.root, log: join(places.logs, 'npm.log'), remedy: REMEDY },
  );
  if (!(await fits(places, lock))) {
    throw new SetupError(
      'npm installed other packages than package-lock.json names.',
      'Run `npm install` and commit the package-lock.json that it writes.',
    );
  }
  const version = capture(places.node, ['--version']);
  if (version === undefined || Number(version.slice(1).split('.')[0]) < 24) {
    throw new SetupError(
      `${places.node} does not run (its install script may have been blocked).`,
      'Run: npm rebuild node --foreground-scripts',
    );
  }
  const bytes = await sizeBytes(join(places.root, 'node_modules'));
  await writeStamp(stampPath, { madeFrom, bytes });
  return { made: true, bytes };
}

/** The npm that runs this script, else the one of the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running !== undefined && /npm-cli\.[cm]?js$/.test(running) && existsSync(running))
    return [process.execPath, running];
  const npm = findProgram('npm');
  if (npm === undefined) throw new SetupError('npm is missing.', 'Install Node.js 20 or newer with npm.');
  return [npm];
}

/** @param {import('../layout.mjs').Layout} places */
function recordPath(places) {
  return join(places.root, 'node_modules/.package-lock.json');
}

/**
 * npm writes node_modules/.package-lock.json last, so a killed install does not have it.
 * @param {import('../layout.mjs').Layout} places
 * @param {string} lock
 */
async function fits(places, lock) {
  if (!existsSync(recordPath(places))) return false;
  const wanted = Object.entries(JSON.parse(lock).packages).filter(([path]) => path !== '');
  const installed = JSON.parse(await readFile(recordPath(places), 'utf8')).packages;
  return wanted.every(([path, entry]) => {
    const found = installed[path];
    // Packages of other platforms are in the lock, not in the tree.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}
