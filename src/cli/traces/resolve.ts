/** From what a person names (a run, an artefact) to the rows that are to be looked at, finished or still being made. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { SecpiError } from '../../contract/errors.ts';
import type { Manifest, ShardRecord } from '../../contract/manifest.ts';
import type { FileRef } from '../../contract/refs.ts';
import { sha256Schema } from '../../contract/refs.ts';
import { stageResultSchema } from '../../contract/workflows.ts';
import {
  dataArtefacts,
  sourcesOf,
  type DataArtefactKind,
  type EntrySource,
} from '../../services/report/index.ts';
import type { Store } from '../../services/store/index.ts';
import { childrenOf, openedStageOf, type OpenedData } from './history.ts';

/** An artefact of rows. */
export interface FoundArtefact {
  readonly kind: DataArtefactKind;
  readonly uri: string;
  /** What is being made holds the rows of its finished shards. */
  readonly state: 'published' | 'unfinished';
  readonly sources: readonly EntrySource[];
  /** The same rows as a folder for other programs; empty where there is none. */
  readonly files: readonly FileRef[];
}

const STAGES = ['filter', 'distil'] as const;

/** `s3://…/artifacts/<kind>/<fingerprint>`. Throws ARTIFACT_NOT_FOUND. */
export async function findArtefact(store: Store, uri: string): Promise<FoundArtefact> {
  const [folder, kind, fingerprint, ...rest] = store.objects.keyOf(uri.replace(/\/$/, ''))?.split('/') ?? [];
  if (folder !== 'artifacts' || rest.length > 0 || !sha256Schema.safeParse(fingerprint).success)
    throw notFound(`${uri} does not name an artefact of ${store.objects.uriOf('')}.`);
  const known = dataArtefacts.find((name) => name === kind);
  if (known === undefined)
    throw notFound(`${uri} is of the kind "${kind}", which holds no rows to look at.`, {
      remedy: 'Name an artefact of the kind filter, traces or dataset, or the run that made one.',
    });
  return await readArtefact(store, { kind: known, fingerprint: fingerprint ?? '', input: null });
}

/** The artefacts of a run, filter first. Throws ARTIFACT_NOT_FOUND. */
export async function findRun(client: Client, store: Store, workflowId: string): Promise<FoundArtefact[]> {
  const run = await describe(client, workflowId);
  if (run === null)
    throw notFound(`there is no run "${workflowId}" in the namespace "${client.options.namespace}".`, {
      remedy:
        'Name the workflow id that `secpi run` printed (temporal workflow list shows all), or the uri of an artefact.',
    });
  switch (run.type) {
    case 'filterDataset':
    case 'distillTraces':
      return [await ofStage(client, store, run)];
    case 'secpi': {
      const children = await childrenOf(client, run);
      const found: FoundArtefact[] = [];
      for (const stage of STAGES) {
        const child = children.get(`${workflowId}/${stage}`);
        const described = child === undefined ? null : await describe(client, child.workflowId, child.runId);
        const artefact =
          described === null ? null : await ofStage(client, store, described).catch(nullIfNotFound);
        if (artefact !== null) found.push(artefact);
      }
      if (found.length === 0) throw tooEarly(run);
      return found;
    }
    default:
      throw notFound(`the run "${workflowId}" is of the type ${run.type}, which has no rows to look at.`, {
        remedy: 'Name a run of secpi, filterDataset or distillTraces, or the uri of an artefact.',
      });
  }
}

/** What a run of a stage has published, taken from others or made so far. */
async function ofStage(
  client: Client,
  store: Store,
  run: WorkflowExecutionDescription,
): Promise<FoundArtefact> {
  if (run.status.name === 'COMPLETED') {
    const result: unknown = await client.workflow.getHandle(run.workflowId, run.runId).result();
    return await findArtefact(store, stageResultSchema.parse(result).artifact.uri);
  }
  const opened = await openedStageOf(client, run);
  if (opened === null) throw tooEarly(run);
  return opened.status === 'published'
    ? await findArtefact(store, opened.uri)
    : await readArtefact(store, opened);
}

async function readArtefact(
  store: Store,
  id: Omit<OpenedData & { status: 'owned' }, 'status'>,
): Promise<FoundArtefact> {
  const { kind, fingerprint, input } = id;
  const uri = store.objects.uriOf(`artifacts/${kind}/${fingerprint}`);
  const manifest = await store.artifacts.read(kind, fingerprint);
  if (manifest !== null)
    return { kind, uri, state: 'published', sources: sourcesOf(kind, manifest.parts), files: manifest.files };
  const shards = await store.artifacts.listShards(kind, fingerprint);
  if (shards.length === 0 && input === null) throw notFound(`Nothing is published at ${uri}.`);
  // What the import set aside stands in the dataset until the filter is published.
  const before = kind === 'filter' && input !== null ? await store.artifacts.readByUri(input) : null;
  return {
    kind,
    uri,
    state: 'unfinished',
    sources: [
      ...(before === null ? [] : sourcesOf('dataset', before.parts)),
      ...sourcesOf(kind, partsOf(shards)),
    ],
    files: [],
  };
}

function partsOf(shards: readonly ShardRecord[]): Manifest['parts'] {
  const parts: Manifest['parts'] = {};
  for (const shard of shards)
    for (const [name, part] of Object.entries(shard.parts)) (parts[name] ??= []).push(part);
  return parts;
}

/** Of a stage that went on as another run: that run, unless the id was given to a new chain of runs since. */
async function describe(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | null> {
  try {
    const found = await client.workflow.getHandle(workflowId, runId).describe();
    if (found.status.name !== 'CONTINUED_AS_NEW') return found;
    const current = await client.workflow.getHandle(workflowId).describe();
    return current.raw.workflowExecutionInfo?.firstRunId === runId ? current : found;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

function nullIfNotFound(error: unknown): null {
  if (error instanceof SecpiError && error.code === 'ARTIFACT_NOT_FOUND') return null;
  throw error;
}

function tooEarly({ workflowId, status }: WorkflowExecutionDescription): SecpiError {
  if (status.name !== 'RUNNING')
    return notFound(`the run "${workflowId}" ended (${status.name.toLowerCase()}) before it had made rows.`);
  return notFound(`the run "${workflowId}" has made no rows yet.`, {
    remedy: 'Try again when its filter has begun: the Temporal UI shows how far it is.',
  });
}

function notFound(problem: string, options: { readonly remedy?: string } = {}): SecpiError {
  return new SecpiError('ARTIFACT_NOT_FOUND', problem, { field: 'RUN', ...options });
}
