/** Small file operations that survive a kill at any moment. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** @param {...(string | Uint8Array)} parts */
export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/**
 * A name beside `path` for unfinished work; `sweepTemporaries` removes what a killed set-up left.
 * @param {string} path
 */
export function temporaryBeside(path) {
  return `${path}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** @param {string} folder */
export function sweepTemporaries(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.includes('.tmp-')) removeTree(join(folder, name));
  }
}

/**
 * Removes a folder even where some of it is read-only (a Go module cache).
 * @param {string} path
 */
export function removeTree(path) {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')))
      throw error;
    makeWritable(path);
    rmSync(path, { recursive: true, force: true });
  }
}

/** @param {string} folder */
function makeWritable(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(folder, entry.name));
  }
}

/**
 * Writes by temp file, flush and rename: a reader sees the old file or the whole new one.
 * @param {string} path
 * @param {string} text
 */
export async function writeWhole(path, text) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryBeside(path);
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/**
 * Bytes on disk of a folder or file; links are not followed.
 * @param {string} path
 * @returns {Promise<number>}
 */
export async function sizeBytes(path) {
  const info = await lstat(path);
  if (!info.isDirectory()) return info.size;
  let total = 0;
  for (const name of await readdir(path)) total += await sizeBytes(join(path, name));
  return total;
}

/**
 * A stamp says what a finished thing was made from. It is written last, so that a thing without a fitting stamp
 * is unfinished or outdated.
 * @param {string} path
 * @returns {Promise<{madeFrom: string, bytes: number} | undefined>}
 */
export async function readStamp(path) {
  if (!existsSync(path)) return undefined;
  try {
    const stamp = JSON.parse(await readFile(path, 'utf8'));
    return typeof stamp?.madeFrom === 'string' && typeof stamp.bytes === 'number' ? stamp : undefined;
  } catch (error) {
    // Another program's file, or a torn disk: the thing is made anew.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * @param {string} path
 * @param {{madeFrom: string, bytes: number}} stamp
 */
export async function writeStamp(path, stamp) {
  await writeWhole(path, `${JSON.stringify(stamp)}\n`);
}

/** @param {string} path */
export async function removeFile(path) {
  await rm(path, { force: true });
}
