/** Verdicts as a results tree of BaxBench, which its own `--mode evaluate` reads. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerdictRow } from '../../../contract/rows.ts';
import type { BaxbenchTask, Catalogue } from './catalogue.ts';
import { filesOfReply } from './replyFiles.ts';
import { recordOfLog } from './testResults.ts';
import { CODE_FOLDER, FAILED_FILE, RESULTS_FILE, sampleFolder } from './upstreamTree.ts';
import { writeCode } from './writeCode.ts';

export interface GradedSample {
  readonly verdict: VerdictRow;
  /** As it was graded. Null: there was none, and nothing is written, so BaxBench counts the sample as not there. */
  readonly reply: string | null;
}

export interface WriteResultsOptions {
  /** The results folder itself; the folder of the model below it is replaced sample by sample. */
  readonly dir: string;
  readonly model: string;
  readonly temperature: number;
  readonly catalogue: Catalogue;
}

/**
 * A sample without a verdict of BaxBench (a timeout, a harness that broke down) gets its code and no results: BaxBench
 * leaves it out of its figures, and its `--mode test` would test it. Returns the number of samples with results.
 */
export async function writeBaxbenchResults(
  { dir, model, temperature, catalogue }: WriteResultsOptions,
  samples: Iterable<GradedSample>,
): Promise<number> {
  const byId = new Map(catalogue.tasks.map((task) => [task.row.taskId, task]));
  let written = 0;
  for (const { verdict, reply } of samples) {
    const task = byId.get(verdict.taskId);
    if (task === undefined || reply === null) continue;
    const { taskId, sample, variant } = verdict;
    const folder = sampleFolder(dir, { model, taskId, temperature, spec: catalogue.spec, variant, sample });
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFiles(join(folder, CODE_FOLDER), reply, task);
    const results = recordOfLog(verdict.log, catalogue.descriptions);
    if (results === null) continue;
    await writeFile(join(folder, RESULTS_FILE), JSON.stringify(results));
    written += 1;
  }
  return written;
}

async function writeFiles(folder: string, reply: string, task: BaxbenchTask): Promise<void> {
  const { files } = filesOfReply(reply, task);
  const outcome =
    files === null
      ? { written: false as const, reason: 'no code was found' }
      : await writeCode(folder, files);
  if (outcome.written) return;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, FAILED_FILE), `${outcome.reason}\n\n${reply}`);
}
