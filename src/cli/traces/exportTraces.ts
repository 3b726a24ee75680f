/** The pairs of a run as the dataset folder that its traces artefact carries. */
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import type { FileRef } from '../../contract/refs.ts';
import type { Store } from '../../services/store/index.ts';
import type { LineOutput } from './output.ts';
import type { FoundArtefact } from './resolve.ts';

/** What is there already is never overwritten; an earlier export of the same traces may be. */
async function refuseOccupied(path: string, files: readonly FileRef[]): Promise<void> {
  const present = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new SecpiError('RECIPE_INVALID', `${path} cannot be read: ${error.message}.`, {
      field: '--export',
      cause: error,
    });
  });
  const ours = new Set(files.map((file) => file.path.split('/', 1)[0]));
  if (present.every((name) => ours.has(name))) return;
  throw new SecpiError('RECIPE_INVALID', `${path} holds other files.`, {
    field: '--export',
    remedy: 'Name a folder that is not there yet, or an empty one.',
  });
}

/** The pairs as a dataset folder, whole and checked against its hashes. */
export async function exportTraces(
  store: Store,
  found: readonly FoundArtefact[],
  folder: string,
  output: LineOutput,
  signal: AbortSignal,
): Promise<void> {
  const traces = found.find(({ kind }) => kind === 'traces');
  if (traces === undefined || traces.state === 'unfinished')
    throw new SecpiError('ARTIFACT_NOT_FOUND', 'there are no finished traces to export.', {
      field: '--export',
      remedy: 'Name a run that has distilled, or the uri of a published traces artefact.',
    });
  if (traces.files.length === 0)
    throw new SecpiError(
      'ARTIFACT_NOT_FOUND',
      `${traces.uri} holds no dataset folder: an older version made it.`,
      {
        field: '--export',
        remedy:
          'Write the rows with --json, or distil again with reuse "never": the answers are not paid twice.',
      },
    );
  const path = resolve(folder);
  await refuseOccupied(path, traces.files);
  await store.blobs.readFolder(traces.files, path, signal);
  const bytes = traces.files.reduce((sum, file) => sum + file.bytes, 0);
  await output.line(`${path}: ${traces.files.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
}
