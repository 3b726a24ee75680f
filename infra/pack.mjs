/**
 * `npm pack` runs this first: dist/ becomes the project as it is installed elsewhere, in the same folders. Programs are
 * plain JavaScript there, since Node strips no types below node_modules. What only tests and measurements need stays out.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** What is read at run time beside the programs, by folder; errors name pages of the docs. */
const carried = [
  'docs',
  'src',
  'infra/setup',
  'infra/setup.mjs',
  'recipes',
  'records',
  'schemas',
  'suite',
  'trainer',
];
/** Of the programs' folders. */
const left = [
  /\/testBrowser\.mjs$/,
  /\.ts$/,
  /\.test\.\w+$/,
  /\/DESIGN\.md$/,
  /\/launch\.mjs$/,
  /\/src(?:\/.*)?\/testing(?:\/|$)/,
];
const leftFolders = [
  'docs/decisions',
  'docs/images',
  'trainer/tests',
  'trainer/bench',
  '__pycache__',
  '.pytest_cache',
  '.ruff_cache',
  '.venv',
];

rmSync(dist, { recursive: true, force: true });
for (const name of carried)
  cpSync(join(root, name), join(dist, name), { recursive: true, filter: isCarried });
emitPrograms();
writePackage();

/** @param {string} path */
function isCarried(path) {
  const name = `/${relative(root, path)}`;
  if (leftFolders.some((folder) => name.endsWith(`/${folder}`) || name.endsWith('.egg-info'))) return false;
  return !(isProgramFolder(name) && left.some((pattern) => pattern.test(name)));
}

/**
 * Tasks and records are data, whatever their endings.
 * @param {string} name
 */
function isProgramFolder(name) {
  return name.startsWith('/src') || name.startsWith('/infra');
}

/** From the entries on, so that nothing comes along that no program loads. */
function emitPrograms() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'infra/pack/tsconfig.json')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}

/** Beside the programs, where they look for their version. */
function writePackage() {
  // The cache of workflow bundles tells by the versions whether it still fits.
  const { name, version, license, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const path = join(dist, 'package.json');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `${JSON.stringify({ name, version, license, private: true, type: 'module', dependencies }, null, 2)}\n`,
  );
}
