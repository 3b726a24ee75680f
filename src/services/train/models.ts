/** A model source → a local folder in Hugging Face format, with the hash of its content. */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import type { ModelSource } from '../../contract/recipe.ts';
import { createRegistry, parseRegistryUri } from '../registry/index.ts';
import { fingerprint } from '../store/fingerprint.ts';
import type { Store } from '../store/index.ts';

export interface LocalModel {
  readonly dir: string;
  /** SHA-256 over names and hashes of the files: equal content, equal hash, wherever it lies. */
  readonly contentSha256: string;
  readonly license: string;
}

export interface ModelOptions {
  readonly store: Store;
  readonly cacheDir: string;
  /** Relative paths of recipes start here. */
  readonly baseDir: string;
  readonly pythonPath: string;
  /** Ends a download. */
  readonly signal?: AbortSignal;
}

/** The client says little with --quiet; a traceback is some kilobytes. */
const HUB_OUTPUT_BYTES = 64 * 1024 * 1024;

type ModelLocation =
  | { readonly kind: 'folder'; readonly dir: string }
  | { readonly kind: 'artifact'; readonly uri: string }
  | { readonly kind: 'registry'; readonly name: string; readonly version: number }
  | { readonly kind: 'hub'; readonly id: string; readonly revision: string };

/** Refuses what cannot be there, without fetching anything. Throws MODEL_NOT_FOUND with the field. */
export async function checkModel(source: ModelSource, field: string, options: ModelOptions): Promise<void> {
  const location = locate(source, field, options);
  switch (location.kind) {
    case 'folder':
      await checkFolder(location.dir, source, field);
      return;
    case 'artifact':
      await options.store.artifacts.readByUri(location.uri);
      return;
    case 'registry':
      await options.store.artifacts.readByUri(await registered(location, field, options));
      return;
    case 'hub':
      return; // only fetching can tell
  }
}

export async function localiseModel(
  source: ModelSource,
  field: string,
  options: ModelOptions,
): Promise<LocalModel> {
  const location = locate(source, field, options);
  switch (location.kind) {
    case 'folder': {
      await checkFolder(location.dir, source, field);
      return {
        dir: location.dir,
        contentSha256: await hashFolder(location.dir, options.cacheDir),
        license: source.license ?? 'unknown',
      };
    }
    case 'artifact':
      return await fetchArtifact(location.uri, options);
    case 'registry':
      return await fetchArtifact(await registered(location, field, options), options);
    case 'hub': {
      const dir = await fetchFromHub(location.id, location.revision, field, options);
      return {
        dir,
        contentSha256: await hashFolder(dir, options.cacheDir),
        license: source.license ?? 'unknown',
      };
    }
  }
}

function locate(source: ModelSource, field: string, options: ModelOptions): ModelLocation {
  const { uri, revision } = source;
  if (uri.startsWith('s3://')) return { kind: 'artifact', uri };
  const named = parseRegistryUri(uri);
  if (named !== null) {
    const { name, version } = named;
    if (version !== null) return { kind: 'registry', name, version };
    throw new SecpiError('RECIPE_INVALID', `"${uri}" needs a version, since what is current moves.`, {
      field,
      remedy: `Write ${uri}@VERSION; \`npx secpi models show ${name}\` shows the current one.`,
    });
  }
  if (uri.startsWith('embedded:')) {
    const name = uri.slice('embedded:'.length);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
      throw new SecpiError('MODEL_NOT_FOUND', `"${name}" is not the name of an embedded model.`, { field });
    }
    return { kind: 'folder', dir: join(options.cacheDir, 'models', name) };
  }
  if (uri.startsWith('hf:')) {
    const id = uri.slice('hf:'.length);
    if (!/^[\w.-]+\/[\w.-]+$/.test(id))
      throw new SecpiError('MODEL_NOT_FOUND', `"${id}" is not a hub id.`, { field });
    if (revision === undefined) {
      throw new SecpiError('RECIPE_INVALID', 'a hub model needs a revision, since a branch moves.', {
        field: field.replace(/uri$/, 'revision'),
        remedy: 'Give the commit hash or a tag.',
      });
    }
    return { kind: 'hub', id, revision };
  }
  return { kind: 'folder', dir: resolve(options.baseDir, uri.replace(/^file:(?:\/\/)?/, '')) };
}

async function checkFolder(dir: string, source: ModelSource, field: string): Promise<void> {
  const config = await stat(join(dir, 'config.json')).catch(() => null);
  if (config?.isFile() === true) return;
  const remedy = source.uri.startsWith('embedded:')
    ? 'Run `npx secpi setup` on the GPU worker: it makes the embedded model.'
    : undefined;
  throw new SecpiError('MODEL_NOT_FOUND', `there is no model folder at ${dir} (no config.json).`, {
    field,
    ...(remedy ? { remedy } : {}),
  });
}

/** Uri of the artefact that a version of the registry names. */
async function registered(
  { name, version }: { readonly name: string; readonly version: number },
  field: string,
  { store }: ModelOptions,
): Promise<string> {
  try {
    return (await createRegistry(store).read(name, version)).artifact.uri;
  } catch (error) {
    if (!(error instanceof SecpiError)) throw error;
    throw new SecpiError(error.code, error.problem, { field, cause: error });
  }
}

/** A model artefact's merged model, cached by its content hash. */
async function fetchArtifact(uri: string, { store, cacheDir, signal }: ModelOptions): Promise<LocalModel> {
  const manifest = await store.artifacts.readByUri(uri);
  const files = manifest.files
    .filter(({ path }) => path.startsWith('merged/'))
    .map((file) => ({ ...file, path: file.path.slice('merged/'.length) }));
  if (files.length === 0)
    throw new SecpiError('MODEL_NOT_FOUND', `${uri} holds no merged model.`, { field: 'model.uri' });
  const contentSha256 = hashOfNames(files.map(({ path, sha256 }) => [path, sha256]));
  const dir = join(cacheDir, 'models-by-content', contentSha256);
  if ((await stat(dir).catch(() => null)) === null) {
    await mkdir(dirname(dir), { recursive: true });
    await unlessPresent(store.blobs.readFolder(files, dir, signal), dir);
  }
  const license = manifest.facts['license'];
  return { dir, contentSha256, license: typeof license === 'string' ? license : 'unknown' };
}

/** `hf download` of huggingface_hub, which comes with transformers; cached by id and revision. */
async function fetchFromHub(
  id: string,
  revision: string,
  field: string,
  { cacheDir, pythonPath, signal }: ModelOptions,
): Promise<string> {
  const dir = join(cacheDir, 'models-from-hub', `${id.replace('/', '--')}@${revision.replaceAll('/', '--')}`);
  if ((await stat(dir).catch(() => null)) !== null) return dir;
  const partial = `${dir}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    await promisify(execFile)(
      join(dirname(pythonPath), 'hf'),
      ['download', id, '--revision', revision, '--local-dir', partial, '--quiet'],
      { maxBuffer: HUB_OUTPUT_BYTES, ...(signal === undefined ? {} : { signal }) },
    );
  } catch (cause) {
    signal?.throwIfAborted();
    throw hubError(id, revision, field, cause);
  }
  await rm(join(partial, '.cache'), { recursive: true, force: true });
  await unlessPresent(rename(partial, dir), dir);
  return dir;
}

function hubError(id: string, revision: string, field: string, cause: unknown): SecpiError {
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
  const problem = `the hub does not give ${id} at ${revision}: ${(said || messageOf(cause)).trim().slice(-300)}`;
  // "Local entry not found" is how the client tells that it could not ask.
  if (/\b40[134]\b|access denied|(?<!local entry) not found/i.test(said))
    return new SecpiError('MODEL_NOT_FOUND', problem, { field, cause });
  return new SecpiError('ENDPOINT_UNREACHABLE', problem, {
    field,
    remedy: 'It is tried again; what was downloaded is kept. Check that the GPU worker reaches the hub.',
    cause,
  });
}

/** Another attempt of this host that fetches the same model may be quicker: its folder is as good. */
async function unlessPresent(work: Promise<void>, dir: string): Promise<void> {
  try {
    await work;
  } catch (error) {
    const isTaken =
      error instanceof Error &&
      'code' in error &&
      ['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(String(error.code));
    if (!isTaken || (await stat(dir).catch(() => null)) === null) throw error;
  }
}

/** Hashing tens of gigabytes takes a minute, so the result is remembered as long as sizes and times stay. */
async function hashFolder(dir: string, cacheDir: string): Promise<string> {
  const names = await listFiles(dir);
  const stats = await Promise.all(names.map(async (name) => await stat(join(dir, name))));
  const state = fingerprint({
    dir,
    files: names.map((name, index) => [name, stats[index]?.size ?? 0, stats[index]?.mtimeMs ?? 0]),
  });
  const memo = join(cacheDir, 'model-hashes', state);
  const known = await readFile(memo, 'utf8').catch(() => null);
  if (known !== null && /^[0-9a-f]{64}$/.test(known)) return known;
  const hashes: [string, string][] = [];
  for (const name of names) hashes.push([name, await hashFile(join(dir, name))]);
  const hash = hashOfNames(hashes);
  await mkdir(dirname(memo), { recursive: true });
  await writeFile(`${memo}.${process.pid}`, hash);
  await rename(`${memo}.${process.pid}`, memo);
  return hash;
}

async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter((name) => !name.split('/').some((part) => part.startsWith('.')))
    .sort();
}

function hashOfNames(files: readonly (readonly [string, string])[]): string {
  return fingerprint({
    files: files
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, sha256]) => [name, sha256]),
  });
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
