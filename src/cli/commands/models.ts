/** `secpi models`: what is registered, where it comes from, which version is current; as a folder for vLLM or peft. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import {
  createRegistry,
  exportModel,
  parseNamedVersion,
  type ExportForm,
  type Registry,
} from '../../services/registry/index.ts';
import type { Store } from '../../services/store/index.ts';
import { showEntry, showList } from '../models/show.ts';
import { createOutput, type LineOutput } from '../traces/output.ts';
import { asciiControls } from '../traces/show.ts';
import { withStore } from '../withStore.ts';

interface Place {
  readonly store: Store;
  readonly registry: Registry;
  readonly output: LineOutput;
  readonly signal: AbortSignal;
}

export async function list(options: { readonly json: boolean }): Promise<number> {
  return await withRegistry(async ({ registry, output }) => {
    const models = await registry.list();
    const rows = await Promise.all(
      models.map(async ({ name, versions, current }) => ({
        name,
        versions,
        current,
        newest: await registry.read(name, versions.at(-1) ?? 1),
        entry: current === null ? null : await registry.read(name, current.version),
      })),
    );
    if (options.json) await output.line(json(rows));
    else await output.line(showList(rows));
  });
}

export async function show(
  model: string,
  options: { readonly card: boolean; readonly json: boolean },
): Promise<number> {
  return await withRegistry(async ({ store, registry, output }) => {
    const entry = await registry.resolve(parseNamedVersion(model));
    if (options.card) {
      await output.line((await store.blobs.readBytes(entry.card)).toString('utf8').trimEnd());
      return;
    }
    const [current, versions] = [await registry.current(entry.name), await registry.versions(entry.name)];
    const shown = { entry, versions, current };
    await output.line(options.json ? json(shown) : showEntry(shown));
  });
}

export async function promote(model: string, options: { readonly json: boolean }): Promise<number> {
  return await withRegistry(async ({ registry, output }) => {
    const { name, version } = parseNamedVersion(model);
    if (version === null)
      throw new SecpiError('RECIPE_INVALID', `"${model}" does not say which version.`, {
        field: 'NAME@VERSION',
        remedy: `Write ${model}@VERSION; \`npx secpi models show ${model}\` lists the versions.`,
      });
    const by = { kind: 'person', name: userName() } as const;
    const { previous, promotedAt } = await registry.promote({ name, version, by });
    const before = previous === null ? 'the first' : `before: ${previous}`;
    await output.line(
      options.json
        ? json({ name, version, previous, promotedAt })
        : `${name}@${version} is current since ${promotedAt} (${before}).`,
    );
  });
}

export async function exportTo(
  model: string,
  options: { readonly as: ExportForm; readonly out: string; readonly json: boolean },
): Promise<number> {
  return await withRegistry(async ({ store, registry, output, signal }) => {
    const entry = await registry.resolve(parseNamedVersion(model));
    const dir = resolve(options.out);
    const { files, bytes } = await exportModel(store, { entry, form: options.as, dir, signal });
    await output.line(
      options.json
        ? json({ folder: dir, name: entry.name, version: entry.version, as: options.as, files, bytes })
        : `${dir}: ${entry.name}@${entry.version} (${options.as}), ${files} files, ${(bytes / 1e6).toFixed(1)} MB`,
    );
  });
}

async function withRegistry(work: (place: Place) => Promise<void>): Promise<number> {
  return await withStore(async (store, signal) => {
    const output = createOutput(process.stdout);
    await work({ store, registry: createRegistry(store), output, signal });
  });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR')
      return `user ${process.getuid?.() ?? 'unknown'}`;
    throw error;
  }
}

function json(value: unknown): string {
  return asciiControls(JSON.stringify(value));
}
