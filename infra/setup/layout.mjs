/** Where everything lives: derived from the project folder, the environment and the locks; nothing is created here. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './files.mjs';
import { cacheFolder, findNode } from './findNode.mjs';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const modelName = 'SmolLM2-135M-Instruct';

/**
 * @typedef {object} Layout
 * @property {string} root the project folder
 * @property {string} cache per-user folder of what is large and shared by checkouts
 * @property {string} state work folder of the stack, in the project by default
 * @property {string} logs
 * @property {string} node Node 24, of the npm package `node`
 * @property {string} venv the Python environment, named by its lock
 * @property {string} python
 * @property {boolean} ownPython false when the user names a Python by SECPI_PYTHON
 * @property {string} temporal
 * @property {string} versitygw
 * @property {string} model
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [root]
 * @returns {Layout}
 */
export function layout(env, root = projectRoot) {
  const cache = cacheFolder(env);
  const lock = readFileSync(join(root, 'trainer/requirements.lock'));
  const venv = join(cache, `python-${sha256(lock).slice(0, 16)}`);
  const named = env.SECPI_PYTHON || undefined;
  const python = named === undefined ? join(venv, 'bin/python') : resolve(named);
  return {
    root,
    cache,
    state: resolve(root, env.SECPI_STATE || '.secpi'),
    logs: join(cache, 'logs'),
    node: findNode(root),
    venv,
    python,
    ownPython: named === undefined,
    temporal: join(dirname(python), 'temporal'),
    versitygw: join(cache, 'bin/versitygw'),
    model: join(cache, 'models', modelName),
  };
}
