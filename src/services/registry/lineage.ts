/** From a published model back to what it was made of: settings, traces, datasets, licences, code. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { fingerprint, type Artifacts, type Store } from '../store/index.ts';
import type { Actor, Lineage, ModelDescription, ModelMetrics, SourceDataset } from './entry.ts';
import { parseRegistryUri } from './modelName.ts';
import type { Registry } from './registry.ts';

export interface DescribeRequest {
  readonly name: string;
  /** Uri of a published model artefact. */
  readonly artifact: string;
  readonly by: Actor;
}

/** What the manifest of a model says of its making; facts that an older one lacks are null. */
const factsSchema = z.object({
  base: z.string(),
  baseRevision: z.string().nullable().default(null),
  baseContentSha256: z.string(),
  license: z.string().default('unknown'),
  evalLossBefore: z.number().nullable().default(null),
  evalLossAfter: z.number().nullable().default(null),
  guardLossBefore: z.number().nullable().default(null),
  guardLossAfter: z.number().nullable().default(null),
  trainTokens: z.int().nullable().default(null),
  versions: z.record(z.string(), z.string()).default({}),
  device: z.string().nullable().default(null),
  precision: z.string().nullable().default(null),
  rollbacks: z.int().nullable().default(null),
  stoppedEarlyAtStep: z.int().nullable().default(null),
});

const fingerprintOfSchema = z.object({
  codeVersion: z.int(),
  settings: z.record(z.string(), z.json()),
});

/** Throws ARTIFACT_NOT_FOUND, and RECIPE_INVALID where the artefact is no model of a training. */
export async function describeModel(
  { artifacts }: Pick<Store, 'artifacts'>,
  registry: Registry,
  { name, artifact, by }: DescribeRequest,
): Promise<ModelDescription> {
  const manifest = await artifacts.readByUri(artifact);
  const facts = factsSchema.safeParse(manifest.facts);
  const made = fingerprintOfSchema.safeParse(manifest.fingerprintOf);
  const traces = manifest.inputs.find((input) => input.name === 'traces');
  if (manifest.kind !== 'model' || !facts.success || !made.success || traces === undefined)
    throw new SecpiError('RECIPE_INVALID', `${artifact} is not the model of a fine-tuning.`, {
      remedy: 'Name the artefact in the result of a `fineTune` run.',
    });
  const { settings, codeVersion } = made.data;
  const { base, baseRevision, baseContentSha256, license, versions } = facts.data;
  const { device, precision, rollbacks, stoppedEarlyAtStep } = facts.data;
  const { evalLossBefore, evalLossAfter, guardLossBefore, guardLossAfter, trainTokens } = facts.data;
  const losses = { evalLossBefore, evalLossAfter, guardLossBefore, guardLossAfter };
  const metrics: ModelMetrics = { ...losses, steps: manifest.rows, trainTokens };
  return {
    name,
    artifact: artifacts.refOf(manifest),
    contentSha256: manifest.contentSha256,
    base: { uri: base, revision: baseRevision, contentSha256: baseContentSha256, license },
    lineage: {
      settings,
      settingsSha256: fingerprint(settings),
      traces: await tracesOf(artifacts, traces),
      datasets: await datasetsOf(artifacts, registry, manifest, base),
      tokenizerSha256: manifest.files.find(({ path }) => path === 'merged/tokenizer.json')?.sha256 ?? null,
      code: { train: codeVersion, package: packageVersion(), libraries: versions },
      course: { device, precision, rollbacks, stoppedEarlyAtStep },
    },
    metrics,
    hasAdapter: manifest.files.some(({ path }) => path.startsWith('adapter/')),
    createdAt: new Date().toISOString(),
    createdBy: by,
  };
}

async function tracesOf(
  artifacts: Artifacts,
  { uri, contentSha256 }: Manifest['inputs'][number],
): Promise<Lineage['traces']> {
  const manifest = await artifacts.readByUri(uri).catch(nullIfNotFound);
  const teacher = manifest?.facts['model'];
  const promptKept = manifest?.fingerprintOf['keepPromptInPair'];
  return {
    uri,
    contentSha256,
    teacher: typeof teacher === 'string' ? teacher : null,
    promptKept: typeof promptKept === 'boolean' ? promptKept : null,
  };
}

/** Of all inputs, and of the base where that is a model of ours; sorted by name, each content once. */
async function datasetsOf(
  artifacts: Artifacts,
  registry: Registry,
  model: Manifest,
  base: string,
): Promise<SourceDataset[]> {
  const found = new Map<string, SourceDataset>();
  const add = (dataset: SourceDataset): void =>
    void found.set(`${dataset.name}/${dataset.contentSha256 ?? ''}`, dataset);
  const visit = async (uri: string): Promise<boolean> => {
    const manifest = await artifacts.readByUri(uri).catch(nullIfNotFound);
    if (manifest === null) return false;
    if (manifest.kind === 'dataset') {
      const { name, license } = manifest.facts;
      const { contentSha256 } = manifest;
      add({ name: textOr(name, uri), license: textOr(license, 'unknown'), uri, contentSha256 });
      return true;
    }
    let isWhole = manifest.inputs.length > 0;
    for (const input of manifest.inputs) isWhole = (await visit(input.uri)) && isWhole;
    // Where the chain is broken, an artefact's own word for its dataset is what is left.
    const { dataset, license } = manifest.facts;
    if (!isWhole && typeof dataset === 'string' && dataset !== '') {
      add({ name: dataset, license: textOr(license, 'unknown'), uri: null, contentSha256: null });
      return true;
    }
    return isWhole;
  };
  for (const { uri } of model.inputs) await visit(uri);
  const ofRegistry = parseRegistryUri(base);
  if (ofRegistry !== null) (await registry.resolve(ofRegistry)).lineage.datasets.forEach(add);
  else if (base.startsWith('s3://')) await visit(base);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function nullIfNotFound(error: unknown): null {
  if (error instanceof SecpiError && error.code === 'ARTIFACT_NOT_FOUND') return null;
  throw error;
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

let version: string | null = null;

function packageVersion(): string {
  version ??= z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))).version;
  return version;
}
