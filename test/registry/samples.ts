/** A dataset, a filter, traces and models in a store, as the stages publish them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Manifest } from '../../src/contract/manifest.ts';
import { emptyUsage } from '../../src/contract/usage.ts';
import {
  contentHashOfFiles,
  hashRows,
  sha256Hex,
  type FingerprintFields,
  type Store,
} from '../../src/services/store/index.ts';
import { owner } from '../store/samples.ts';

interface Published {
  readonly kind: Manifest['kind'];
  /** Makes the fingerprint. */
  readonly id: string;
  readonly facts?: Manifest['facts'];
  readonly inputs?: Manifest['inputs'];
  readonly fingerprintOf?: FingerprintFields;
  readonly files?: Manifest['files'];
  readonly rows?: number;
}

export interface PublishedRef {
  readonly uri: string;
  readonly contentSha256: string;
}

export async function publish(store: Store, published: Published): Promise<PublishedRef> {
  const { kind, id, files = [], facts = {}, inputs = [], fingerprintOf = {}, rows = 1 } = published;
  const writer = owner(id);
  const fingerprint = sha256Hex(`${kind}/${id}`);
  const claim = await store.artifacts.claim({
    kind,
    fingerprint,
    owner: writer,
    isOwnerAlive: () => Promise.resolve(false),
  });
  if (claim.status !== 'owned') throw new Error(`${kind}/${id} is there already`);
  const contentSha256 = files.length === 0 ? await hashRows([{ id }]) : contentHashOfFiles(files);
  const ref = await store.artifacts.publish({
    kind,
    fingerprint,
    epoch: claim.epoch,
    owner: writer,
    manifest: {
      kind,
      fingerprint,
      contentSha256,
      rows,
      parts: {},
      files: [...files],
      counts: {},
      facts,
      fingerprintOf: fingerprintOf as Manifest['fingerprintOf'],
      inputs: [...inputs],
      usage: emptyUsage,
      seconds: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      createdBy: writer,
      epoch: claim.epoch,
    },
  });
  return { uri: ref.uri, contentSha256 };
}

/** dataset → filter → traces. */
export async function publishTraces(store: Store, id: string): Promise<PublishedRef> {
  const dataset = await publish(store, {
    kind: 'dataset',
    id,
    facts: { name: `tasks of ${id}`, license: 'CC-BY-4.0' },
  });
  const filter = await publish(store, {
    kind: 'filter',
    id,
    facts: { dataset: `tasks of ${id}`, license: 'CC-BY-4.0' },
    inputs: [{ name: 'dataset', ...dataset }],
  });
  return await publish(store, {
    kind: 'traces',
    id,
    facts: { dataset: `tasks of ${id}`, license: 'CC-BY-4.0', model: 'some-teacher' },
    fingerprintOf: { keepPromptInPair: id === 'kept' },
    inputs: [{ name: 'filtered', ...filter }],
  });
}

export interface SampleModel {
  /** Decides the content. */
  readonly weights: string;
  /** Decides the artefact; default: the weights. */
  readonly id?: string;
  readonly traces: PublishedRef;
  readonly evalLossAfter?: number | null;
  readonly settings?: Manifest['facts'];
  readonly base?: string;
  readonly adapter?: boolean;
  /** In place of made-up ones. */
  readonly files?: Manifest['files'];
}

export async function publishModel(store: Store, model: SampleModel): Promise<PublishedRef> {
  const { weights, id = weights, traces, adapter = true, evalLossAfter = 0.8 } = model;
  const base = model.base ?? 'hf:example/coder-7b';
  const files =
    model.files ??
    (await putFiles(store, {
      'merged/config.json': '{"model_type": "llama"}',
      'merged/model.safetensors': `merged ${weights}`,
      'merged/tokenizer.json': '{"version": "1.0"}',
      'metrics/metrics.jsonl': '{"event": "step", "step": 1}\n',
      'metrics/tensorboard/events.out': 'events',
      ...(adapter
        ? {
            'adapter/adapter_config.json': JSON.stringify({
              base_model_name_or_path: 'models/on-some-host',
              r: 8,
            }),
            'adapter/adapter_model.safetensors': `adapter ${weights}`,
          }
        : {}),
    }));
  return await publish(store, {
    kind: 'model',
    id,
    rows: 30,
    files,
    facts: {
      base,
      baseRevision: base.startsWith('hf:') ? 'abc123' : null,
      baseContentSha256: sha256Hex('base'),
      license: 'Apache-2.0',
      evalLossBefore: 1.25,
      evalLossAfter,
      guardLossBefore: 0.9,
      guardLossAfter: 0.95,
      trainTokens: 12_345,
      versions: { torch: '2.15.0', transformers: '5.23' },
    },
    fingerprintOf: {
      stage: 'fine-tune',
      codeVersion: 2,
      settings: {
        method: adapter ? 'lora' : 'full',
        evalShare: 0.1,
        seed: 7,
        maxSequenceTokens: 768,
        longRows: 'drop',
        lora: { rank: 8 },
        ...model.settings,
      },
    },
    inputs: [{ name: 'traces', ...traces }],
  });
}

async function putFiles(store: Store, files: Readonly<Record<string, string>>): Promise<Manifest['files']> {
  const dir = await mkdtemp(join(tmpdir(), 'secpi-model-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    return await store.blobs.putFolder(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
