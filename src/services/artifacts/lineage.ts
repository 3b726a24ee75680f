/** What an artefact was made of, back to the datasets and models that came from outside. */
import { SecpiError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { ArtifactKind } from '../../contract/refs.ts';
import { createRegistry, parseRegistryUri } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import { bytesOf } from './list.ts';

export interface LineageNode {
  /** What it is to the artefact above: the name of the input; "" at the root. */
  readonly as: string;
  readonly uri: string;
  /** Null for what is no published artefact of this store: a hub model, an endpoint, what was never published. */
  readonly made: Making | null;
  /** The same artefact stands above in the tree, with its inputs. */
  readonly isRepeated: boolean;
  readonly inputs: readonly LineageNode[];
}

export interface Making {
  readonly kind: ArtifactKind;
  readonly contentSha256: string;
  readonly rows: number;
  readonly bytes: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly epoch: number;
  readonly costUsd: number;
  /** What it is for a person: the dataset's name, the teacher, the benchmark, the base model. */
  readonly about: string | null;
  readonly license: string | null;
}

/** Throws ARTIFACT_NOT_FOUND where the root is not published. `registry:NAME@VERSION` is its model artefact. */
export async function lineageOf(store: Store, uri: string): Promise<LineageNode> {
  const registry = createRegistry(store);
  const seen = new Set<string>();

  const resolve = async (text: string): Promise<string> => {
    const named = parseRegistryUri(text);
    return named === null ? text.replace(/\/$/u, '') : (await registry.resolve(named)).artifact.uri;
  };

  const visit = async (as: string, named: string): Promise<LineageNode> => {
    const at = await resolve(named);
    const manifest = store.objects.keyOf(at) === null ? null : await readOrNull(store, at);
    const node = { as, uri: at, made: manifest === null ? null : makingOf(manifest) };
    if (manifest === null) return { ...node, isRepeated: false, inputs: [] };
    if (seen.has(at)) return { ...node, isRepeated: manifest.inputs.length > 0, inputs: [] };
    seen.add(at);
    const inputs: LineageNode[] = [];
    for (const input of inputsOf(manifest)) inputs.push(await visit(input.as, input.uri));
    return { ...node, isRepeated: false, inputs };
  };

  const root = await visit('', uri);
  if (root.made === null) throw new SecpiError('ARTIFACT_NOT_FOUND', `Nothing is published at ${uri}.`);
  return root;
}

/** The manifest's inputs; a model's base is no input of the stage, but the model is made of it. */
function inputsOf({ inputs, kind, facts }: Manifest): { readonly as: string; readonly uri: string }[] {
  const named = inputs.map(({ name, uri }) => ({ as: name, uri }));
  const { base } = facts;
  return kind === 'model' && typeof base === 'string' ? [...named, { as: 'base', uri: base }] : named;
}

function makingOf(manifest: Manifest): Making {
  const { kind, contentSha256, rows, createdAt, createdBy, epoch, usage, facts } = manifest;
  const texts = [facts['name'], facts['benchmark'], facts['model'], facts['base']].filter(isText);
  const { license } = facts;
  return {
    kind,
    contentSha256,
    rows,
    bytes: bytesOf(manifest),
    createdAt,
    workflowId: createdBy.workflowId,
    runId: createdBy.runId,
    epoch,
    costUsd: usage.costUsd,
    about: texts[0] ?? null,
    license: isText(license) ? license : null,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

async function readOrNull({ artifacts }: Store, uri: string): Promise<Manifest | null> {
  try {
    return await artifacts.readByUri(uri);
  } catch (error) {
    if (error instanceof SecpiError && error.code === 'ARTIFACT_NOT_FOUND') return null;
    throw error;
  }
}
