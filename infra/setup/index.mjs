/**
 * Installs what is missing, and nothing else. Runs on any Node from 20 up with nothing installed. Every step is
 * idempotent and may be killed at any moment: the next call redoes what has no fitting stamp.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeError, SetupError } from './errors.mjs';
import { sweepTemporaries } from './files.mjs';
import { layout } from './layout.mjs';
import { withLock } from './lock.mjs';
import { createReport, formatTime } from './report.mjs';
import { smallModel } from './steps/model.mjs';
import { nodePackages } from './steps/node-packages.mjs';
import { pythonEnvironment } from './steps/python.mjs';
import { s3Server } from './steps/s3-server.mjs';
import { sandbox } from './steps/sandbox.mjs';

const INSTALL_BYTES = 9e9;
const OLDEST_NODE = 20;

/**
 * Sets everything up and returns where it is.
 * @param {{env: NodeJS.ProcessEnv, out: NodeJS.WriteStream, quiet?: boolean}} options quiet: only tell what was done
 */
export async function setUp({ env, out, quiet = false }) {
  const started = Date.now();
  const places = layout(env);
  const report = createReport(out, quiet);
  checkPlatform();
  await mkdir(places.cache, { recursive: true });
  const wait = () => report.line('Another set-up is at work here; waiting for it to end.');
  let made = false;

  /**
   * @template {{made: boolean, bytes?: number | undefined, note?: string | undefined}} Outcome
   * @param {string} name
   * @param {() => Promise<Outcome>} work
   */
  const step = async (name, work) => {
    report.begin(name);
    try {
      const outcome = await work();
      made ||= outcome.made;
      report.done(name, outcome);
    } catch (error) {
      report.failed(name);
      // At once: the other steps may take minutes more.
      report.line(describeError(error));
      throw error;
    }
  };

  await withLock(
    join(places.state, 'setup.lock'),
    () =>
      withLock(
        join(places.cache, 'setup.lock'),
        async () => {
          await announce(places, report);
          for (const folder of [places.cache, dirname(places.versitygw), dirname(places.model)])
            sweepTemporaries(folder);
          // The three downloads overlap; a step that fails does not cut the others off, so that their work is kept.
          const packages = step('node packages', () => nodePackages(places));
          const python = step('python environment', () => pythonEnvironment(places));
          const server = step('S3 server', () => s3Server(places));
          const model = python.then(() => step('small model', () => smallModel(places)));
          const guard = Promise.all([packages, python]).then(() => step('sandbox', () => sandbox(places)));
          const outcomes = await Promise.allSettled([packages, python, server, model, guard]);
          if (outcomes.some(({ status }) => status === 'rejected')) {
            throw new SetupError(
              'A step failed; its reason is above.',
              'Mend it and run the same command again: what is finished is kept.',
            );
          }
        },
        wait,
      ),
    wait,
  );
  if (made || !quiet)
    report.line(
      `Set-up ${made ? 'finished' : 'complete, nothing to do'} in ${formatTime(Date.now() - started)}.`,
    );
  return places;
}

function checkPlatform() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw new SetupError(
      `Node ${process.versions.node} is too old.`,
      `Install Node.js ${OLDEST_NODE} or newer.`,
    );
  }
  if (process.platform !== 'linux') {
    throw new SetupError(
      `The embedded stack runs on Linux; this is ${process.platform}.`,
      'Use a Linux machine, container or virtual machine: generated code runs only inside a Linux sandbox.',
    );
  }
}

/**
 * Says what a long first installation will take, and refuses one that cannot fit.
 * @param {import('./layout.mjs').Layout} places
 * @param {ReturnType<typeof createReport>} report
 */
async function announce(places, report) {
  if (existsSync(places.python) && existsSync(places.versitygw)) return;
  const { bavail, bsize } = await statfs(places.cache);
  const freeBytes = bavail * bsize;
  if (freeBytes < INSTALL_BYTES && places.ownPython) {
    throw new SetupError(
      `${places.cache} has ${(freeBytes / 1e9).toFixed(1)} GB free; the installation needs ${INSTALL_BYTES / 1e9} GB.`,
      'Free some space, or name a folder on another disk by SECPI_CACHE.',
    );
  }
  const { version } = JSON.parse(await readFile(join(places.root, 'package.json'), 'utf8'));
  report.line(
    `Setting up SecPI Pipeline ${version}: downloads about 4 GB into ${places.cache}, a few minutes the first time.`,
  );
}
