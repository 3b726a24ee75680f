/** The Python environment: trainer, test tools, the Temporal CLI; every package by hash. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capture, findProgram, installLock, runLogged } from '../commands.mjs';
import { SetupError } from '../errors.mjs';
import { readStamp, removeTree, sha256, sizeBytes, writeStamp } from '../files.mjs';

const OLDEST_MINOR = 11;
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.14'];
const NETWORK_REMEDY = 'Check that the Python package index is reachable, then run the same command again.';

/** @param {import('../layout.mjs').Layout} places */
export async function pythonEnvironment(places) {
  if (!places.ownPython) {
    if (!existsSync(places.python)) {
      throw new SetupError(
        `SECPI_PYTHON names ${places.python}, which does not exist.`,
        'Unset SECPI_PYTHON, or correct it.',
      );
    }
    return { made: false, note: 'yours, by SECPI_PYTHON' };
  }
  const lock = join(places.root, 'trainer/requirements.lock');
  const madeFrom = sha256(await readFile(lock));
  const stampPath = join(places.venv, '.secpi-setup.json');
  const stamp = await readStamp(stampPath);
  // The base interpreter may have been removed since.
  if (stamp?.madeFrom === madeFrom && existsSync(places.python)) return { made: false, bytes: stamp.bytes };

  // A half-filled environment may look whole to pip (metadata there, files not): it is made anew. pip's own cache
  // of downloads makes that quick.
  removeTree(places.venv);
  await mkdir(places.cache, { recursive: true });
  const log = join(places.logs, 'python.log');
  await runLogged(findPython(), ['-m', 'venv', places.venv], {
    log,
    remedy: 'Run: apt-get install python3-venv',
  });
  await installLock(places.python, lock, { log, remedy: NETWORK_REMEDY });
  const bytes = await sizeBytes(places.venv);
  await writeStamp(stampPath, { madeFrom, bytes });
  return { made: true, bytes };
}

/** The first Python that is new enough and can make environments. */
export function findPython() {
  const problems = [];
  for (const name of CANDIDATES) {
    const path = findProgram(name);
    if (path === undefined) continue;
    const version = capture(path, [
      '-c',
      'import sys; print(sys.version_info.minor if sys.version_info.major == 3 else 0)',
    ]);
    if (version === undefined || Number(version) < OLDEST_MINOR) {
      problems.push(`${path} is older than 3.${OLDEST_MINOR}`);
    } else if (capture(path, ['-c', 'import venv, ensurepip']) === undefined) {
      problems.push(`${path} lacks the venv module`);
    } else {
      return path;
    }
  }
  const found = problems.length === 0 ? 'no python3 is on the PATH' : problems.join('; ');
  throw new SetupError(
    `Python 3.${OLDEST_MINOR} or newer with the venv module is needed: ${found}.`,
    problems.some((problem) => problem.includes('venv'))
      ? 'Run: apt-get install python3-venv'
      : 'Run: apt-get install python3 python3-venv',
  );
}
