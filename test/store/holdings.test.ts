/** What `secpi artifacts` says of a real store: listing, lineage, verification. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/contract/manifest.ts';
import type { ArtifactKind } from '../../src/contract/refs.ts';
import { lineageOf, listArtifacts, verifyArtifacts } from '../../src/services/artifacts/index.ts';
import { blobKey, fingerprint, type Store } from '../../src/services/store/index.ts';
import { manifestFor, owner } from './samples.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

async function publish(
  store: Store,
  kind: ArtifactKind,
  content: Partial<Manifest>,
): Promise<{ readonly uri: string; readonly manifest: Manifest }> {
  const fp = fingerprint({ kind });
  const by = owner(kind);
  const claim = { kind, fingerprint: fp, owner: by, isOwnerAlive: () => Promise.resolve(false) };
  await store.artifacts.claim(claim);
  const manifest = { ...(await manifestFor(store, fp, 1, by)), kind, ...content };
  const { uri } = await store.artifacts.publish({ kind, fingerprint: fp, epoch: 1, owner: by, manifest });
  return { uri, manifest };
}

const input = (name: string, { uri, manifest }: { uri: string; manifest: Manifest }) => ({
  name,
  uri,
  contentSha256: manifest.contentSha256,
});

/** dataset → filter → traces → model on a hub model; and a stage that is not published. */
async function chain(store: Store) {
  const dataset = await publish(store, 'dataset', { facts: { name: 'tasks', license: 'mit' } });
  const filter = await publish(store, 'filter', { inputs: [input('dataset', dataset)] });
  const traces = await publish(store, 'traces', {
    inputs: [input('filtered', filter)],
    facts: { model: 'teacher' },
  });
  const own = await store.blobs.putBytes(Buffer.from('weights'));
  const model = await publish(store, 'model', {
    inputs: [input('traces', traces)],
    facts: { base: 'hf:base/model' },
    files: [{ ...own, path: 'merged/weights.bin' }],
  });
  const open = { kind: 'evaluation', fingerprint: fingerprint({ open: 1 }) } as const;
  await store.artifacts.claim({ ...open, owner: owner('open'), isOwnerAlive: () => Promise.resolve(false) });
  return { dataset, filter, traces, model, own };
}

describe('the holdings of a store', () => {
  it('are listed by kind, with state and size', async () => {
    const store = await server.openStore();
    const { model, dataset } = await chain(store);
    const all = await listArtifacts(store);
    expect(all.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual([
      'dataset published',
      'evaluation building',
      'filter published',
      'model published',
      'traces published',
    ]);
    const partBytes = dataset.manifest.parts['kept']?.[0]?.bytes ?? -1;
    expect(await listArtifacts(store, 'model')).toEqual([
      expect.objectContaining({
        uri: model.uri,
        rows: 2,
        bytes: partBytes + 'weights'.length,
        state: 'published',
      }),
    ]);
    const [building] = await listArtifacts(store, 'evaluation');
    expect(building).toMatchObject({ rows: null, bytes: null, workflowId: 'workflow of open' });
  });

  it('lead back to what came from outside', async () => {
    const store = await server.openStore();
    const { model, traces, filter, dataset } = await chain(store);
    const root = await lineageOf(store, `${model.uri}/`);
    expect(root).toMatchObject({
      as: '',
      uri: model.uri,
      inputs: [
        {
          as: 'traces',
          uri: traces.uri,
          made: { about: 'teacher' },
          inputs: [
            {
              as: 'filtered',
              uri: filter.uri,
              inputs: [
                { as: 'dataset', uri: dataset.uri, made: { about: 'tasks', license: 'mit' }, inputs: [] },
              ],
            },
          ],
        },
        { as: 'base', uri: 'hf:base/model', made: null, inputs: [] },
      ],
    });
    await expect(lineageOf(store, 's3://other/artifacts/x')).rejects.toMatchObject({
      code: 'ARTIFACT_NOT_FOUND',
    });
  });

  it('are read back whole, or the damage is told', async () => {
    const store = await server.openStore();
    const { model, own } = await chain(store);
    const whole = await verifyArtifacts(store, []);
    expect(whole).toHaveLength(4);
    expect(whole.flatMap(({ problems }) => problems)).toEqual([]);
    await writeFile(join(server.dataDir, store.objects.bucket, blobKey(own.sha256)), 'weightz');
    expect(await verifyArtifacts(store, [model.uri])).toEqual([
      expect.objectContaining({ uri: model.uri, blobs: 2, problems: [expect.stringContaining(own.sha256)] }),
    ]);
    const damaged = (await verifyArtifacts(store, [])).filter(({ problems }) => problems.length > 0);
    expect(damaged.map(({ uri }) => uri)).toEqual([model.uri]);
  });
});
