/** The registry over a real S3 server: entries, races, lineage, promotion, cards. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registerModel } from '../../src/activities/registerModel.ts';
import type { Register } from '../../src/contract/recipe.ts';
import {
  createRegistry,
  describeModel,
  modelCard,
  type Actor,
  type ModelEntry,
  type Registry,
} from '../../src/services/registry/index.ts';
import type { Store } from '../../src/services/store/index.ts';
import { localiseModel } from '../../src/services/train/models.ts';
import { owner } from '../store/samples.ts';
import { startServer, type TestServer } from '../store/server.ts';
import { publish, publishModel, publishTraces, type PublishedRef, type SampleModel } from './samples.ts';

const person: Actor = { kind: 'person', name: 'ada' };
let server: TestServer;
let store: Store;
let registry: Registry;
let traces: PublishedRef;

beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => await server?.stop());
beforeEach(async () => {
  store = await server.openStore();
  registry = createRegistry(store);
  traces = await publishTraces(store, 'a');
});

const model = async (weights: string, options: Partial<SampleModel> = {}): Promise<string> =>
  (await publishModel(store, { weights, traces, ...options })).uri;

async function enter(name: string, artifact: string): Promise<ModelEntry> {
  return await registry.enter(await describeModel(store, registry, { name, artifact, by: person }));
}

async function register(
  artifact: string,
  promote: Register['promote'],
): Promise<{ version: number; promoted: boolean; reason: string }> {
  const run = { owner: owner('r1') };
  return await registerModel({ store }, run, { artifact, register: { name: 'coder', promote } });
}

describe('entries', () => {
  it('are versions 1, 2, …; the same content is entered once', async () => {
    const [one, two] = [await model('one'), await model('two')];
    const again = await model('one', { id: 'one, trained again' });
    expect((await enter('coder', one)).version).toBe(1);
    expect((await enter('coder', two)).version).toBe(2);
    const repeated = await enter('coder', again);
    expect(repeated).toMatchObject({ version: 1, artifact: { uri: one } });
    expect((await enter('other', two)).version).toBe(1);
    expect(await registry.versions('coder')).toEqual([1, 2]);
  });

  it('of eight writers that race each has its own version', async () => {
    const artifacts = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => await model(`w${index}`)),
    );
    const entries = await Promise.all(artifacts.map(async (artifact) => await enter('coder', artifact)));
    expect(entries.map(({ version }) => version).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const { version, contentSha256 } of entries)
      expect((await registry.read('coder', version)).contentSha256).toBe(contentSha256);
  });

  it('of one content that race become one', async () => {
    const artifact = await model('one');
    await enter('coder', await model('before'));
    const entries = await Promise.all(Array.from({ length: 6 }, async () => await enter('coder', artifact)));
    expect(new Set(entries.map(({ version }) => version))).toEqual(new Set([2]));
    expect(await registry.versions('coder')).toEqual([1, 2]);
  });

  it.each(['team/coder', '..', 'modèle ✓', 'current', 'a@2'])('may be called %s', async (name) => {
    const entry = await enter(name, await model('one'));
    expect(await registry.read(name, 1)).toEqual(entry);
    await registry.promote({ name, version: 1, by: person });
    expect(await registry.list()).toMatchObject([{ name, versions: [1], current: { version: 1 } }]);
  });

  it('that are not there are told with those that are', async () => {
    await enter('coder', await model('one'));
    await expect(registry.read('coder', 7)).rejects.toThrow(
      /MODEL_VERSION_NOT_FOUND.*no version 7; it has 1/,
    );
    await expect(registry.read('coda', 1)).rejects.toThrow(/nothing is registered under the name "coda"/);
    await expect(registry.promote({ name: 'coder', version: 2, by: person })).rejects.toThrow(
      /MODEL_VERSION_NOT_FOUND/,
    );
    expect(await registry.current('coder')).toBeNull();
  });

  it('that were changed by hand are not believed', async () => {
    await enter('coder', await model('one'));
    await store.objects.putIfAbsent('models/coder/2.json', Buffer.from('{"version": 2}'));
    await expect(registry.read('coder', 2)).rejects.toThrow(/BLOB_CORRUPT/);
  });
});

describe('lineage', () => {
  it('leads from the model to the datasets with their licences', async () => {
    const entry = await enter('coder', await model('one'));
    expect(entry).toMatchObject({
      base: { uri: 'hf:example/coder-7b', revision: 'abc123', license: 'Apache-2.0' },
      lineage: {
        settings: { method: 'lora', seed: 7, lora: { rank: 8 } },
        traces: { ...traces, teacher: 'some-teacher', promptKept: false },
        datasets: [
          { name: 'tasks of a', license: 'CC-BY-4.0', uri: expect.stringContaining('/artifacts/dataset/') },
        ],
        code: { train: 2, package: expect.stringMatching(/^\d+\.\d+\.\d+/), libraries: { torch: '2.15.0' } },
      },
      metrics: {
        evalLossBefore: 1.25,
        evalLossAfter: 0.8,
        guardLossAfter: 0.95,
        steps: 30,
        trainTokens: 12345,
      },
      hasAdapter: true,
    });
    expect(entry.lineage.tokenizerSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names the datasets of a base that was trained here', async () => {
    await enter('first', await model('one'));
    const otherTraces = await publishTraces(store, 'b');
    const second = await model('two', { traces: otherTraces, base: 'registry:first@1' });
    const third = await model('three', { traces: otherTraces, base: second });
    expect((await enter('second', second)).lineage.datasets.map(({ name }) => name)).toEqual([
      'tasks of a',
      'tasks of b',
    ]);
    // The artefact does not say what its own base was made of, so only its inputs are followed.
    expect((await enter('third', third)).lineage.datasets.map(({ name }) => name)).toEqual(['tasks of b']);
  });

  it('keeps the name of a dataset whose artefact is gone', async () => {
    const lost = await publish(store, {
      kind: 'traces',
      id: 'lost',
      facts: { dataset: 'bought tasks', license: 'unknown' },
      inputs: [
        {
          name: 'filtered',
          uri: store.objects.uriOf(`artifacts/filter/${'0'.repeat(64)}`),
          contentSha256: '0'.repeat(64),
        },
      ],
    });
    const entry = await enter('coder', await model('one', { traces: lost }));
    expect(entry.lineage.datasets).toEqual([
      { name: 'bought tasks', license: 'unknown', uri: null, contentSha256: null },
    ]);
  });

  it('is refused for what is no model', async () => {
    await expect(enter('coder', traces.uri)).rejects.toThrow(
      /RECIPE_INVALID.*not the model of a fine-tuning/,
    );
  });
});

describe('promotion', () => {
  it('knows who, when and what was before', async () => {
    for (const weights of ['one', 'two']) await enter('coder', await model(weights));
    await registry.promote({ name: 'coder', version: 2, by: person });
    const first = await registry.current('coder');
    expect(first).toMatchObject({ version: 2, by: person, previous: null });
    expect(await registry.promote({ name: 'coder', version: 2, by: person })).toEqual(first);
    await registry.promote({ name: 'coder', version: 1, by: person });
    expect(await registry.current('coder')).toMatchObject({ version: 1, previous: 2 });
    expect((await registry.resolve({ name: 'coder', version: null })).version).toBe(1);
  });

  it('without a current version the newest is meant', async () => {
    for (const weights of ['one', 'two']) await enter('coder', await model(weights));
    expect((await registry.resolve({ name: 'coder', version: null })).version).toBe(2);
  });

  it.each([null, 1])('of racing ones (before: %s) one wins, the others are told', async (before) => {
    for (let index = 0; index < 6; index += 1) await enter('coder', await model(`w${index}`));
    if (before !== null) await registry.promote({ name: 'coder', version: before, by: person });
    const outcomes = await Promise.allSettled(
      [2, 3, 4, 5, 6].map(
        async (version) => await registry.promote({ name: 'coder', version, by: person, from: before }),
      ),
    );
    const won = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value.version] : [],
    );
    const lost = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : [],
    );
    expect(won).toHaveLength(1);
    expect(await registry.current('coder')).toMatchObject({ version: won[0], previous: before });
    for (const problem of lost) expect(problem).toContain('PROMOTION_CONFLICT');
  });

  it('of the same version by several is success for all', async () => {
    for (const weights of ['one', 'two']) await enter('coder', await model(weights));
    const outcomes = await Promise.all(
      Array.from(
        { length: 6 },
        async () => await registry.promote({ name: 'coder', version: 2, by: person }),
      ),
    );
    expect(new Set(outcomes.map(({ promotedAt }) => promotedAt)).size).toBe(1);
  });
});

describe('the activity', () => {
  it('enters, promotes, and does neither twice', async () => {
    const artifact = await model('one');
    expect(await register(artifact, 'never')).toMatchObject({ version: 1, promoted: false });
    expect(await registry.current('coder')).toBeNull();
    expect(await register(artifact, 'always')).toMatchObject({ version: 1, promoted: true });
    const current = await registry.current('coder');
    expect(await register(artifact, 'always')).toMatchObject({ version: 1, promoted: true });
    expect(await registry.current('coder')).toEqual(current);
    expect(current?.by).toEqual({ kind: 'run', workflowId: 'workflow of r1', runId: 'r1' });
  });

  it('promotes the better one, and tells why not', async () => {
    expect(await register(await model('one', { evalLossAfter: 0.8 }), 'ifBetter')).toMatchObject({
      promoted: true,
    });
    expect(await register(await model('two', { evalLossAfter: 0.7 }), 'ifBetter')).toMatchObject({
      promoted: true,
      reason: expect.stringContaining('held-out loss 0.7000, version 1 has 0.8000'),
    });
    const refusals: [string, Partial<SampleModel>, RegExp][] = [
      ['worse', { evalLossAfter: 0.9 }, /loss 0\.9000, version 2 has 0\.7000/],
      ['equal', { evalLossAfter: 0.7 }, /loss 0\.7000/],
      ['unmeasured', { evalLossAfter: null }, /no held-out loss was measured/],
      ['seed', { evalLossAfter: 0.1, settings: { seed: 8 } }, /other rows \(seed differ/],
      ['share', { evalLossAfter: 0.1, settings: { evalShare: 0.2 } }, /other rows \(evalShare differ/],
      ['cut', { evalLossAfter: 0.1, settings: { maxSequenceTokens: 64 } }, /maxSequenceTokens differ/],
      [
        'traces',
        { evalLossAfter: 0.1, traces: await publishTraces(store, 'b') },
        /version 2 was measured on other rows \(traces differ/,
      ],
    ];
    for (const [weights, options, why] of refusals) {
      const { promoted, reason } = await register(await model(weights, options), 'ifBetter');
      expect({ weights, promoted }).toEqual({ weights, promoted: false });
      expect(reason).toMatch(why);
    }
    expect(await registry.current('coder')).toMatchObject({ version: 2, previous: 1 });
  });

  it('of runs that finish together leaves the best one current', async () => {
    const losses = [0.9, 0.5, 0.7, 0.6, 0.8];
    const artifacts = await Promise.all(
      losses.map(async (evalLossAfter) => await model(`loss ${evalLossAfter}`, { evalLossAfter })),
    );
    const done = await Promise.all(artifacts.map(async (artifact) => await register(artifact, 'ifBetter')));
    const current = await registry.current('coder');
    expect((await registry.read('coder', current?.version ?? 0)).metrics.evalLossAfter).toBe(0.5);
    expect(done[1]).toMatchObject({ version: current?.version, promoted: true });
  });
});

describe('runs that want to be current at the same moment', () => {
  it('are put in an order, and who lost is told', async () => {
    const artifacts = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => await model(`w${index}`)),
    );
    const done = await Promise.all(artifacts.map(async (artifact) => await register(artifact, 'always')));
    const current = await registry.current('coder');
    expect(done.filter(({ promoted }) => promoted).map(({ version }) => version)).toContain(current?.version);
    const lost = done.filter(({ promoted }) => !promoted);
    for (const { reason } of lost) expect(reason).toMatch(/was not promoted: version \d+ is .* current now/);
  });
});

describe('a card', () => {
  it('is a blob that the entry names, the same for the same entry', async () => {
    const entry = await enter('coder', await model('one'));
    const stored = (await store.blobs.readBytes(entry.card)).toString('utf8');
    const { card: _, ...subject } = entry;
    expect(stored).toBe(modelCard(subject));
    const front = stored.split('---\n')[1] ?? '';
    expect(front.split('\n')).toEqual(
      expect.arrayContaining([
        'base_model: "example/coder-7b"',
        'license: other',
        'license_name: "apache-2.0 and cc-by-4.0"',
        'datasets:',
        '- "tasks of a"',
        'library_name: transformers',
        '- "security"',
      ]),
    );
    for (const told of [
      '1.2500',
      '0.8000',
      '−0.4500',
      '+0.0500',
      '`lora.rank` | `8`',
      'transformers 5.23',
      traces.uri,
    ])
      expect(stored).toContain(told);
    expect(modelCard(subject, 'adapter')).toContain('library_name: peft');
  });

  it('does not call an ablation what it is not', async () => {
    const cardOf = async (id: string): Promise<string> => {
      const artifact = await model(id, { traces: await publishTraces(store, id) });
      return (await store.blobs.readBytes((await enter(id, artifact)).card)).toString('utf8');
    };
    expect(await cardOf('bare')).toContain('worded without any hint at security');
    const kept = await cardOf('kept');
    expect(kept).toContain("with the teacher's security instructions (an ablation)");
    expect(kept).not.toContain('without being asked');
  });

  it('says what was not measured', async () => {
    const entry = await enter('coder', await model('one', { evalLossAfter: null }));
    const stored = (await store.blobs.readBytes(entry.card)).toString('utf8');
    expect(stored).toContain('| held-out traces | 1.2500 | not measured |  |');
    expect(stored).not.toContain('NaN');
  });
});

describe('registry:NAME@VERSION as a model', () => {
  it('is the merged model of that version', async () => {
    await enter('team/coder', await model('one'));
    const options = { store, cacheDir: `${server.dataDir}-cache`, baseDir: '/', pythonPath: 'python3' };
    const local = await localiseModel({ uri: 'registry:team/coder@1' }, 'model.uri', options);
    const artifact = (await registry.read('team/coder', 1)).artifact.uri;
    expect(local).toEqual(await localiseModel({ uri: artifact }, 'model.uri', options));
    await expect(
      localiseModel({ uri: 'registry:team/coder@2' }, 'finetune.model.uri', options),
    ).rejects.toThrow(/MODEL_VERSION_NOT_FOUND: finetune\.model\.uri/);
    await expect(localiseModel({ uri: 'registry:team/coder' }, 'model.uri', options)).rejects.toThrow(
      /needs a version/,
    );
  });
});
