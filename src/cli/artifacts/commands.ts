/** `secpi artifacts`: what the store holds, where it comes from, whether it is whole; and its garbage collection. */
import type { ArtifactKind } from '../../contract/refs.ts';
import { SecpiError } from '../../contract/errors.ts';
import { lineageOf, listArtifacts, verifyArtifacts, type Verified } from '../../services/artifacts/index.ts';
import { collectGarbage } from '../../services/store/index.ts';
import { exitCodes } from '../exit.ts';
import { createOutput } from '../traces/output.ts';
import { asciiControls } from '../traces/show.ts';
import { withStore } from '../withStore.ts';
import { showArtifacts, showCollection, showLineage, showVerified } from './show.ts';

export async function list(options: {
  readonly kind?: ArtifactKind;
  readonly json: boolean;
}): Promise<number> {
  return await withStore(async (store) => {
    const artifacts = await listArtifacts(store, options.kind);
    const output = createOutput(process.stdout);
    await output.line(options.json ? json(artifacts) : showArtifacts(artifacts));
  });
}

export async function show(uri: string, options: { readonly json: boolean }): Promise<number> {
  return await withStore(async (store) => {
    const lineage = await lineageOf(store, uri);
    const output = createOutput(process.stdout);
    await output.line(options.json ? json(lineage) : showLineage(lineage));
  });
}

/** Exit code 1 where something is damaged. */
export async function verify(uris: readonly string[], options: { readonly json: boolean }): Promise<number> {
  let damaged = 0;
  const ended = await withStore(async (store, signal) => {
    const output = createOutput(process.stdout);
    const onVerified = async (verified: Verified): Promise<void> => {
      if (verified.problems.length > 0) damaged += 1;
      if (!options.json) await output.line(showVerified(verified));
    };
    const named = uris.map((uri) => uri.replace(/\/$/u, ''));
    const all = await verifyArtifacts(store, named, { signal, onVerified });
    await output.line(options.json ? json(all) : `${all.length} read back, ${damaged} damaged`);
  });
  return damaged > 0 ? exitCodes.runFailed : ended;
}

export interface GcFlags {
  readonly delete: boolean;
  readonly graceHours: number;
  readonly json: boolean;
}

/** Throws BLOB_MISSING, after the table, when a blob that it deleted is named now. */
export async function gc(flags: GcFlags): Promise<number> {
  return await withStore(async ({ objects }, signal) => {
    const collection = await collectGarbage(objects, {
      graceMs: flags.graceHours * 3_600_000,
      sweep: flags.delete,
      signal,
      onProgress: (line) => void process.stderr.write(`${line}\n`),
    });
    const output = createOutput(process.stdout);
    await output.line(flags.json ? json(collection) : showCollection(collection));
    if (collection.lost.length === 0) return;
    throw new SecpiError(
      'BLOB_MISSING',
      `${collection.lost.length} blobs were named while this collection deleted them.`,
      {
        remedy:
          'Run what names them again with reuse "never", and report this: either it is a defect, or the store does not show writes at once.',
      },
    );
  });
}

function json(value: unknown): string {
  return asciiControls(JSON.stringify(value));
}
