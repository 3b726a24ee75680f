/** From what a person names to the uris of evaluations: a uri, a run, a summary.json. */
import { readFile } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import { SecpiError } from '../../contract/errors.ts';
import { summarySchema } from '../../contract/summary.ts';
import { evaluateResultSchema } from '../../contract/workflows.ts';
import { findRun, resultOfRun } from '../runs/find.ts';
import { childrenOf } from '../traces/history.ts';

/** The stage of a run that is meant when the run itself is named: its outcome. */
const MEANT: Readonly<Record<string, string>> = { secpi: 'evaluate-tuned', reevaluate: 'evaluate' };

export type Named =
  | { readonly kind: 'artefact'; readonly uri: string }
  | { readonly kind: 'summary'; readonly path: string }
  | { readonly kind: 'run'; readonly workflowId: string };

/** Only a run needs Temporal. */
export function whatIsNamed(text: string): Named {
  if (text.startsWith('s3://')) return { kind: 'artefact', uri: text };
  return text.endsWith('.json') ? { kind: 'summary', path: text } : { kind: 'run', workflowId: text };
}

/** Throws SAMPLES_INVALID where the file names no evaluation. */
export async function evaluationsOfSummary(path: string, field: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw wrongFile(`${path} cannot be read.`, field, cause);
  }
  const parsed = summarySchema.safeParse(parseJson(text, path, field));
  if (!parsed.success) throw wrongFile(`${path} is not a summary.json of this project.`, field, parsed.error);
  // Of a chain its outcome.
  const meant = parsed.data.benchmarks.flatMap(({ gradings }) =>
    gradings === null ? [] : [gradings.tuned ?? gradings.base],
  );
  if (meant.length === 0) throw wrongFile(`${path} names no evaluation of a store.`, field, undefined);
  return meant;
}

function parseJson(text: string, path: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrongFile(`${path} is not JSON.`, field, cause);
  }
}

function wrongFile(problem: string, field: string, cause: unknown): SecpiError {
  return new SecpiError('SAMPLES_INVALID', problem, {
    field,
    remedy:
      'Give the summary.json of a run of secpi or evaluateModel; for folders of other harnesses: npx secpi import … --against.',
    cause,
  });
}

/** Throws ARTIFACT_NOT_FOUND where the run has no evaluation (yet). */
export async function evaluationsOfRun(client: Client, workflowId: string, field: string): Promise<string[]> {
  let run = await findRun(client, workflowId);
  const stage = MEANT[run.type];
  if (stage !== undefined) {
    const child = (await childrenOf(client, run)).get(`${workflowId}/${stage}`);
    if (child === undefined) throw noEvaluation(`the run "${workflowId}" has not evaluated yet.`, field);
    run = await client.workflow.getHandle(child.workflowId, child.runId).describe();
  }
  const result = evaluateResultSchema.safeParse(await resultOfRun(client, run));
  if (!result.success) throw noEvaluation(`the run "${workflowId}" (${run.type}) evaluates nothing.`, field);
  return result.data.benchmarks.map(({ artifact }) => artifact.uri);
}

function noEvaluation(problem: string, field: string): SecpiError {
  return new SecpiError('ARTIFACT_NOT_FOUND', problem, {
    field,
    remedy:
      'Name a run of evaluateModel, secpi or reevaluate that has evaluated; `npx secpi runs` lists them.',
  });
}
