/** Node 24 by the npm package `node`: in a clone below it, of an installed package beside it or further up. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const NEEDED_MAJOR = 24;

/**
 * A clone has the lock that its packages are installed by; a package leaves that to who installs it.
 * @param {string} root the project folder
 */
export function isClone(root) {
  return existsSync(join(root, 'package-lock.json'));
}

/**
 * Where it is, or where the set-up of a clone will put it.
 * @param {string} root the project folder
 */
export function findNode(root) {
  const own = join(root, 'node_modules/.bin/node');
  if (isClone(root)) return own;
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'node_modules/.bin/node');
    if (existsSync(path)) return path;
  }
  // Its install script may have been refused; the Node that runs this does as well when it is new enough.
  return Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR ? process.execPath : own;
}

/**
 * What the set-up downloads and makes, shared by all clones and packages of a user.
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheFolder(env) {
  return resolve(env.SECPI_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'secpi'));
}
