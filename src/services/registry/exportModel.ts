/** A registered model as a folder that vLLM, transformers or peft load, with its card as README.md. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import type { FileRef } from '../../contract/refs.ts';
import type { Store } from '../store/index.ts';
import type { ModelEntry } from './entry.ts';
import { modelCard, type ModelForm } from './modelCard.ts';
import { registryUri } from './modelName.ts';

/** `metrics`: the curves of the training, for people and TensorBoard. */
export type ExportForm = ModelForm | 'metrics';

export interface ExportRequest {
  readonly entry: ModelEntry;
  readonly form: ExportForm;
  /** Not there yet, or an empty folder. */
  readonly dir: string;
  readonly signal?: AbortSignal;
}

export interface ExportedModel {
  readonly files: number;
  readonly bytes: number;
}

/**
 * The folder appears whole and checked against its hashes, or not at all. Throws RECIPE_INVALID for a folder that is
 * not empty and for an adapter where all weights were trained, BLOB_MISSING, BLOB_CORRUPT.
 */
export async function exportModel(
  { artifacts, blobs }: Pick<Store, 'artifacts' | 'blobs'>,
  { entry, form, dir, signal }: ExportRequest,
): Promise<ExportedModel> {
  await refuseOccupied(dir);
  const files = filesOf(await artifacts.readByUri(entry.artifact.uri), entry, form);
  const partial = `${dir}.${randomUUID()}.export`;
  try {
    await blobs.readFolder(files, partial, signal);
    if (form === 'adapter') await nameBase(join(partial, 'adapter_config.json'), entry);
    if (form !== 'metrics') await writeFile(join(partial, 'README.md'), modelCard(entry, form));
    await mkdir(dirname(dir), { recursive: true });
    // Replaces an empty folder, and only an empty one.
    await rename(partial, dir);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
    throw occupied(dir);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const cards = form === 'metrics' ? 0 : 1;
  return { files: files.length + cards, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function filesOf(
  manifest: { readonly files: readonly FileRef[] },
  entry: ModelEntry,
  form: ExportForm,
): FileRef[] {
  const files = manifest.files
    .filter(({ path }) => path.startsWith(`${form}/`))
    .map((file) => ({ ...file, path: file.path.slice(form.length + 1) }))
    .filter(({ path }) => path !== 'README.md');
  if (files.length > 0) return files;
  throw new SecpiError('RECIPE_INVALID', `${registryUri(entry)} ${absences[form]}.`, {
    field: '--as',
    remedy: form === 'merged' ? 'Train it again with reuse "never".' : 'Use --as merged.',
  });
}

const absences = {
  merged: 'holds no merged weights',
  adapter: 'has no adapter: all of its weights were trained',
  metrics: 'holds no metrics: an older version trained it',
} as const satisfies Record<ExportForm, string>;

/** The trainer knew the base as a folder of its host; who loads the adapter knows it by its name on the hub. */
async function nameBase(path: string, { base }: ModelEntry): Promise<void> {
  if (!base.uri.startsWith('hf:')) return;
  const config = z.record(z.string(), z.json()).parse(JSON.parse(await readFile(path, 'utf8')));
  const named = {
    ...config,
    base_model_name_or_path: base.uri.slice('hf:'.length),
    ...(base.revision === null ? {} : { revision: base.revision }),
  };
  await writeFile(path, `${JSON.stringify(named, null, 2)}\n`);
}

async function refuseOccupied(dir: string): Promise<void> {
  const present = await readdir(dir).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw new SecpiError('RECIPE_INVALID', `${dir} cannot be read as a folder.`, {
      field: '--out',
      cause: error,
    });
  });
  if (present.length > 0) throw occupied(dir);
}

function occupied(dir: string): SecpiError {
  return new SecpiError('RECIPE_INVALID', `${dir} is not empty.`, {
    field: '--out',
    remedy: 'Name a folder that is not there yet, or an empty one.',
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
