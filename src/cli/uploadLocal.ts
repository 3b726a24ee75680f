/** Brings what is on this disk to where every worker can read it: the dataset as a blob, a model folder as an artefact. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SecpiError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Dataset, FilterSettings, ModelSource, Recipe } from '../contract/recipe.ts';
import { emptyUsage } from '../contract/usage.ts';
import { CARD_NAME } from '../services/dataset/folder.ts';
import { hashSource, openSource, type DatasetSource } from '../services/dataset/source.ts';
import {
  canonicalJson,
  contentHashOfFiles,
  datasetUploadPrefix,
  fingerprint,
  sha256Hex,
  sha256OfFile,
  uploadedFileKey,
  type Store,
} from '../services/store/index.ts';

export interface Uploader {
  readonly store: Store;
  readonly namespace: string;
  /** Relative paths are looked for here first, then beside the recipe. */
  readonly cwd: string;
  readonly recipePath: string;
  readonly say: (line: string) => void;
}

/** The recipe with `s3://` URIs in place of local paths. Throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_UNREADABLE, MODEL_NOT_FOUND. */
export async function uploadLocal(recipe: Recipe, uploader: Uploader): Promise<Recipe> {
  return {
    ...recipe,
    dataset: await uploadDataset(recipe.dataset, uploader),
    filter: await uploadLabels(recipe.filter, uploader),
    finetune: {
      ...recipe.finetune,
      model: await uploadModel(recipe.finetune.model, 'finetune.model.uri', uploader),
    },
  };
}

/** A file becomes a blob; of a folder, the card and the files that hold the rows are put under one prefix. */
export async function uploadDataset(dataset: Dataset, uploader: Uploader): Promise<Dataset> {
  const path = await findLocal(dataset.uri, uploader);
  if (path === null) return dataset;
  const source = await openSource({ ...dataset, uri: path }, uploader.store.objects, uploader.cwd);
  const isFolder = (await stat(path)).isDirectory();
  const uri = isFolder ? await uploadFolder(path, source, uploader) : await uploadFile(path, uploader);
  uploader.say(`Dataset ${path} (${source.files.length} files, ${source.bytes} bytes) is at ${uri}`);
  // A blob has no ending, so the format is settled here.
  return { ...dataset, uri, format: source.format, name: dataset.name ?? basename(path) };
}

/** The labelled rows of a calibration. */
async function uploadLabels(filter: FilterSettings, uploader: Uploader): Promise<FilterSettings> {
  const { calibration } = filter;
  const path = calibration === undefined ? null : await findLocal(calibration.labels, uploader);
  if (calibration === undefined || path === null) return filter;
  if ((await stat(path).catch(() => null)) === null) {
    throw new SecpiError('DATASET_NOT_FOUND', `there is no file at ${path}.`, {
      field: 'filter.calibration.labels',
    });
  }
  return { ...filter, calibration: { ...calibration, labels: await uploadFile(path, uploader) } };
}

/** A run's input is not in the store: so that the blob is kept for the run and its repetitions, an object names it. */
async function uploadFile(path: string, { store: { blobs, objects } }: Uploader): Promise<string> {
  const blob = await blobs.putFile(path);
  const upload = { version: 1, name: basename(path), ...blob };
  await objects.putIfAbsent(uploadedFileKey(blob.sha256), Buffer.from(`${canonicalJson(upload)}\n`));
  return blob.uri;
}

async function uploadFolder(
  dir: string,
  source: DatasetSource,
  { store: { objects }, say }: Uploader,
): Promise<string> {
  const card = existsSync(join(dir, CARD_NAME)) ? await sha256OfFile(join(dir, CARD_NAME)) : null;
  const prefix = datasetUploadPrefix(sha256Hex(`${await hashSource(source)} ${card?.sha256 ?? ''}`));
  const names = [...(card === null ? [] : [CARD_NAME]), ...source.files.map(({ name }) => name)];
  for (const [index, name] of names.entries()) {
    const { sha256, bytes } = await sha256OfFile(join(dir, name));
    if ((await objects.head(prefix + name))?.bytes === bytes) continue;
    say(`Uploading ${name} (${index + 1} of ${names.length}, ${bytes} bytes) …`);
    await objects.putFile(prefix + name, join(dir, name), { sha256 });
  }
  return objects.uriOf(prefix);
}

export async function uploadModel(
  model: ModelSource,
  field: string,
  uploader: Uploader,
): Promise<ModelSource> {
  const dir = await findLocal(model.uri, uploader);
  if (dir === null) return model;
  if ((await stat(join(dir, 'config.json')).catch(() => null)) === null) {
    throw new SecpiError('MODEL_NOT_FOUND', `there is no model folder at ${dir} (no config.json).`, {
      field,
    });
  }
  uploader.say(`Uploading the model ${dir} …`);
  const uri = await publishModel(dir, model, uploader);
  uploader.say(`The model is at ${uri}`);
  return { ...model, uri };
}

async function publishModel(
  dir: string,
  model: ModelSource,
  { store, namespace }: Uploader,
): Promise<string> {
  const startedMs = Date.now();
  const files = (await store.blobs.putFolder(dir)).map((file) => ({ ...file, path: `merged/${file.path}` }));
  const contentSha256 = contentHashOfFiles(files);
  const fingerprintOf = { stage: 'upload', version: 1, contentSha256 };
  const id = { kind: 'model', fingerprint: fingerprint(fingerprintOf) } as const;
  const owner = { namespace, workflowId: 'secpi-cli-upload', runId: randomUUID(), writer: '' };
  // Content decides everything here, so taking over from another upload of the same folder is harmless.
  const claim = await store.artifacts.claim({ ...id, owner, isOwnerAlive: async () => false });
  if (claim.status === 'published') return claim.ref.uri;
  if (claim.status === 'busy')
    throw new SecpiError('HEAD_FENCED', 'another upload of the same model is at work.', {
      remedy: 'Try again in a minute.',
    });
  const manifest: Manifest = {
    ...id,
    contentSha256,
    rows: 0,
    parts: {},
    files,
    counts: { files: files.length },
    facts: { license: model.license ?? 'unknown' },
    fingerprintOf,
    inputs: [],
    usage: emptyUsage,
    seconds: (Date.now() - startedMs) / 1000,
    createdAt: new Date().toISOString(),
    createdBy: owner,
    epoch: claim.epoch,
  };
  const ref = await store.artifacts.publish({ ...id, epoch: claim.epoch, owner, manifest });
  return ref.uri;
}

/** Null for what is not local: `s3://`, `hf:`, `embedded:`. */
async function findLocal(uri: string, { cwd, recipePath }: Uploader): Promise<string | null> {
  if (/^(?:s3:\/\/|hf:|embedded:)/.test(uri)) return null;
  const path = uri.replace(/^file:(?:\/\/)?/, '');
  const here = resolve(cwd, path);
  return (await stat(here).catch(() => null)) === null ? resolve(dirname(recipePath), path) : here;
}
