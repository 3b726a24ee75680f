/** Reads a results tree of BaxBench that others made: names and files in it are not trusted. */
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { ifPresent, isMissing } from '../../processOwner.ts';
import { parseTestResults, type TestResults } from './testResults.ts';
import {
  CODE_FOLDER,
  FAILED_FILE,
  LOG_FILE,
  parseConfiguration,
  RESULTS_FILE,
  type SamplePlace,
} from './upstreamTree.ts';

/** Far above what BaxBench writes. */
const MAX_RESULTS_BYTES = 1024 * 1024;
const MAX_CODE_BYTES = 4 * 1024 * 1024;
const LOG_BYTES = 1024 * 1024;

export interface FoundSample extends SamplePlace {
  /** `failed`: a reply without code. */
  readonly code: 'files' | 'failed' | 'none';
  /** Null: it was not tested, or what stands there is no result of BaxBench. */
  readonly results: TestResults | null;
  readonly log: string;
}

/** @throws SecpiError SAMPLES_INVALID when no sample lies where BaxBench keeps them. */
export async function readTree(dir: string): Promise<FoundSample[]> {
  const found: FoundSample[] = [];
  for (const model of await folders(dir))
    for (const scenario of await folders(join(dir, model)))
      for (const env of await folders(join(dir, model, scenario)))
        for (const name of await folders(join(dir, model, scenario, env))) {
          const configuration = parseConfiguration(name);
          if (configuration === null) continue;
          const place = { model, taskId: `${scenario}/${env}`, ...configuration };
          for (const sample of await folders(join(dir, model, scenario, env, name))) {
            const [, number] = /^sample(\d{1,6})$/.exec(sample) ?? [];
            if (number === undefined) continue;
            const folder = join(dir, model, scenario, env, name, sample);
            found.push({ ...place, sample: Number(number), ...(await readSample(folder)) });
          }
        }
  if (found.length > 0) return found;
  throw new SecpiError('SAMPLES_INVALID', `${dir} holds no results of BaxBench.`, {
    remedy: 'Give its results folder: results/<model>/<scenario>/<env>/temp0.2-openapi-none/sample0/…',
  });
}

async function readSample(folder: string): Promise<Pick<FoundSample, 'code' | 'results' | 'log'>> {
  const text = await readText(join(folder, RESULTS_FILE), MAX_RESULTS_BYTES);
  const names = await entries(join(folder, CODE_FOLDER));
  const code = names.length === 0 ? 'none' : names.includes(FAILED_FILE) ? 'failed' : 'files';
  const log = (await readText(join(folder, LOG_FILE), LOG_BYTES)) ?? '';
  return { code, results: text === null ? null : parseTestResults(text), log };
}

/** Files of a sample's code by their path; links are not followed. */
export async function readCode(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const walk = async (below: string): Promise<void> => {
    for (const name of await entries(join(folder, below))) {
      const path = join(below, name);
      const stats = await lstat(join(folder, path));
      if (stats.isDirectory()) await walk(path);
      else if (stats.isFile()) files.set(path, (await readText(join(folder, path), MAX_CODE_BYTES)) ?? '');
    }
  };
  await walk('');
  return files;
}

/** Null for a file that is missing or is none. The end of one that is longer. */
async function readText(path: string, bytes: number): Promise<string | null> {
  const stats = await ifPresent(lstat(path));
  if (stats === null || !stats.isFile()) return null;
  const file = await open(path, 'r');
  try {
    const length = Math.min(stats.size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, stats.size - length);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

async function folders(dir: string): Promise<string[]> {
  try {
    const found = await readdir(dir, { withFileTypes: true });
    return found
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new SecpiError('SAMPLES_INVALID', `There is no folder ${dir}.`, { cause: error });
  }
}

async function entries(dir: string): Promise<string[]> {
  const stats = await ifPresent(lstat(dir));
  return stats?.isDirectory() === true ? (await readdir(dir)).sort() : [];
}
