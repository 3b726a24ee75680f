/** What a night follows: the version that is current when it begins. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resolveModel } from '../../src/activities/resolveModel.ts';
import { createRegistry, describeModel, type Actor } from '../../src/services/registry/index.ts';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';
import { publishModel, publishTraces } from './samples.ts';

const by: Actor = { kind: 'person', name: 'ada' };
let server: TestServer;
let store: Store;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
});
afterAll(async () => await server?.stop());

const resolved = async (uri: string): Promise<string> => (await resolveModel({ store }, { uri })).uri;

it('follows the current version of a name, else the newest, and leaves every other model as it is', async () => {
  const registry = createRegistry(store);
  const traces = await publishTraces(store, 'a');
  for (const weights of ['one', 'two', 'three']) {
    const { uri: artifact } = await publishModel(store, { weights, traces });
    await registry.enter(await describeModel(store, registry, { name: 'team/coder', artifact, by }));
  }
  expect(await resolved('registry:team/coder')).toBe('registry:team/coder@3');
  await registry.promote({ name: 'team/coder', version: 1, by });
  expect(await resolved('registry:team/coder')).toBe('registry:team/coder@1');
  await registry.promote({ name: 'team/coder', version: 2, by });
  expect(await resolved('registry:team/coder')).toBe('registry:team/coder@2');
  expect(await resolved('registry:team/coder@1')).toBe('registry:team/coder@1');
  expect(await resolved('embedded:SmolLM2-135M-Instruct')).toBe('embedded:SmolLM2-135M-Instruct');
  await expect(resolved('registry:team/coder@9')).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
  await expect(resolved('registry:nobody')).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
});
