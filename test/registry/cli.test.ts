/** `secpi models` in a process of its own, over a real store. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/settings.ts';
import { runCli, temporaryFolder } from '../../src/cli/testing/cli.ts';
import { createRegistry, describeModel, type Registry } from '../../src/services/registry/index.ts';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, TEST_CREDENTIALS, TEST_REGION, type TestServer } from '../store/server.ts';
import { publishModel, publishTraces, type SampleModel } from './samples.ts';

const by = { kind: 'run', workflowId: 'nightly', runId: 'r1' } as const;
let server: TestServer;
let store: Store;
let registry: Registry;
let env: NodeJS.ProcessEnv;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  registry = createRegistry(store);
  folder = await temporaryFolder();
  env = {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_REGION: TEST_REGION,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    SECPI_BUCKET: store.objects.bucket,
    SECPI_STATE: join(folder.path, 'state'),
  };
});
afterAll(async () => {
  await server?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const models = async (...args: string[]): Promise<{ code: number; output: string }> =>
  await runCli(['models', ...args], env);
const folderAt = (name: string): string => join(folder.path, name);

it('an empty registry says how to fill it', async () => {
  expect(await models()).toEqual({ code: 0, output: expect.stringContaining('finetune.register') });
  expect(await models('--json')).toEqual({ code: 0, output: '[]\n' });
});

describe('with models', () => {
  beforeAll(async () => {
    const traces = await publishTraces(store, 'a');
    const enter = async (name: string, model: Omit<SampleModel, 'traces'>): Promise<void> => {
      const { uri } = await publishModel(store, { ...model, traces });
      await registry.enter(await describeModel(store, registry, { name, artifact: uri, by }));
    };
    await enter('team/coder', { weights: 'one', evalLossAfter: 0.9 });
    await enter('team/coder', { weights: 'two', evalLossAfter: 0.7 });
    await enter('full', { weights: 'three', adapter: false, base: 'embedded:SmolLM2-135M-Instruct' });
  });

  it('lists names, current versions and losses', async () => {
    const { code, output } = await models();
    expect(code).toBe(0);
    expect(output).toMatch(/^name +current +newest +base model/);
    expect(output).toMatch(/team\/coder +- +2 +hf:example\/coder-7b +1\.2500 → 0\.7000 +0\.9000 → 0\.9500/);
    const listed = JSON.parse((await models('--json')).output) as { name: string; versions: number[] }[];
    expect(listed).toMatchObject([
      { name: 'full', versions: [1], current: null },
      { name: 'team/coder', versions: [1, 2], newest: { version: 2 } },
    ]);
  });

  it('shows lineage, losses and the card', async () => {
    const { code, output } = await models('show', 'team/coder@1');
    expect(code).toBe(0);
    for (const told of [
      'team/coder@1',
      'tasks of a, licence CC-BY-4.0',
      '1.2500 → 0.9000',
      'run nightly (r1)',
    ])
      expect(output).toContain(told);
    expect((await models('show', 'team/coder', '--card')).output).toMatch(/^---\nbase_model: /);
    expect(JSON.parse((await models('show', 'team/coder', '--json')).output)).toMatchObject({
      entry: { version: 2 },
      versions: [1, 2],
    });
  });

  it('promotes a version, and refuses what is not there', async () => {
    const promoted = await models('promote', 'team/coder@1');
    expect(promoted).toMatchObject({ code: 0, output: expect.stringContaining('team/coder@1 is current') });
    expect(await registry.current('team/coder')).toMatchObject({ version: 1, by: { kind: 'person' } });
    expect((await models('show', 'team/coder')).output).toContain('team/coder@1');
    for (const [model, why] of [
      ['team/coder@9', /MODEL_VERSION_NOT_FOUND[\s\S]*it has 1, 2[\s\S]*Remedy: +List the names/],
      ['coda@1', /nothing is registered under the name "coda"/],
      ['team/coder', /does not say which version/],
    ] as const) {
      const { code, output } = await models('promote', model);
      expect(code).toBe(2);
      expect(output).toMatch(why);
    }
  });

  it('exports merged weights with the card, verified', async () => {
    const out = folderAt('merged');
    const exported = await models('export', 'team/coder@2', '--out', out);
    expect(exported).toMatchObject({
      code: 0,
      output: expect.stringContaining('team/coder@2 (merged), 4 files'),
    });
    expect((await readdir(out)).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(await readFile(join(out, 'model.safetensors'), 'utf8')).toBe('merged two');
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('# team/coder, version 2');
  });

  it('exports an adapter that names its base as the hub does', async () => {
    const out = folderAt('adapter');
    await mkdir(out);
    expect((await models('export', 'team/coder', '--as', 'adapter', '--out', out)).code).toBe(0);
    expect(await readFile(join(out, 'adapter_model.safetensors'), 'utf8')).toBe('adapter one');
    expect(JSON.parse(await readFile(join(out, 'adapter_config.json'), 'utf8'))).toEqual({
      base_model_name_or_path: 'example/coder-7b',
      revision: 'abc123',
      r: 8,
    });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('library_name: peft');
  });

  it('exports the metrics of the training', async () => {
    const out = folderAt('metrics');
    expect((await models('export', 'team/coder', '--as', 'metrics', '--out', out)).code).toBe(0);
    expect((await readdir(out, { recursive: true })).sort()).toEqual([
      'metrics.jsonl',
      'tensorboard',
      'tensorboard/events.out',
    ]);
  });

  it('leaves nothing behind where it cannot export', async () => {
    const occupied = folderAt('occupied');
    await mkdir(occupied);
    await writeFile(join(occupied, 'notes.txt'), 'mine');
    const refused = await models('export', 'team/coder', '--out', occupied);
    expect(refused).toMatchObject({ code: 2, output: expect.stringMatching(/--out[\s\S]*is not empty/) });
    expect(await readdir(occupied)).toEqual(['notes.txt']);

    const none = await models('export', 'full', '--as', 'adapter', '--out', folderAt('none'));
    expect(none).toMatchObject({
      code: 2,
      output: expect.stringMatching(/has no adapter[\s\S]*--as merged/),
    });

    // Its last file is damaged in the store.
    const { artifact } = await registry.read('full', 1);
    const { files } = await store.artifacts.readByUri(artifact.uri);
    const weights = files.find(({ path }) => path === 'merged/model.safetensors');
    const key = store.objects.keyOf(weights?.uri ?? '') ?? '';
    await writeFile(join(server.dataDir, store.objects.bucket, key), 'merged thr3e');
    const damaged = await models('export', 'full', '--out', folderAt('damaged'));
    expect(damaged).toMatchObject({ code: 3, output: expect.stringContaining('BLOB_CORRUPT') });
    expect((await readdir(folder.path)).filter((name) => /none|damaged/.test(name))).toEqual([]);
  });
});

describe('an exported model of the trainer', () => {
  const python = process.env['SECPI_PYTHON'] ?? 'python3';
  const inPython = async (code: string, ...args: string[]): Promise<string> =>
    (
      await promisify(execFile)(python, ['-c', code, ...args], {
        env: { ...process.env, HF_HUB_OFFLINE: '1', CUDA_VISIBLE_DEVICES: '' },
        cwd: projectRoot,
      })
    ).stdout;

  it('loads with transformers and peft', async () => {
    const made = folderAt('made');
    await inPython(MAKE, made);
    const files = await store.blobs.putFolder(made);
    const traces = await publishTraces(store, 'real');
    const { uri } = await publishModel(store, { weights: 'real', traces, files, base: 'embedded:tiny' });
    await registry.enter(await describeModel(store, registry, { name: 'real', artifact: uri, by }));
    const [merged, adapter] = [folderAt('real-merged'), folderAt('real-adapter')];
    expect((await models('export', 'real', '--out', merged)).code).toBe(0);
    expect((await models('export', 'real', '--as', 'adapter', '--out', adapter)).code).toBe(0);
    expect(await inPython(LOAD, merged, adapter, join(made, 'base'))).toContain('same logits');
  }, 180_000);
});

const MAKE = `
import sys, torch
from pathlib import Path
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM
out = Path(sys.argv[1])
torch.manual_seed(0)
config = LlamaConfig(vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
base = LlamaForCausalLM(config)
base.save_pretrained(out / "base")
model = get_peft_model(base, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
model.save_pretrained(out / "adapter")
model.merge_and_unload().save_pretrained(out / "merged")
`;

const LOAD = `
import sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
merged, adapter, base = sys.argv[1:]
ids = torch.arange(8).unsqueeze(0)
left = AutoModelForCausalLM.from_pretrained(merged)(ids).logits
right = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)(ids).logits
assert torch.allclose(left, right, atol=1e-5), (left - right).abs().max()
print("same logits")
`;
