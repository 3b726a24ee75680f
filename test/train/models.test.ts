/** Models that are fetched: from the store by two attempts at once, from a hub that answers in its own ways. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localiseModel, type LocalModel, type ModelOptions } from '../../src/services/train/models.ts';
import { publishModel, publishTraces } from '../registry/samples.ts';
import { openLab, type Lab } from './lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab?.stop());

const optionsOf = (name: string): ModelOptions => ({
  store: lab.store,
  cacheDir: join(lab.dir, name),
  baseDir: '/',
  pythonPath: join(lab.dir, name, 'bin', 'python'),
});

it('a model of the store is fetched by two attempts of a host at once', async () => {
  const { uri } = await publishModel(lab.store, {
    weights: 'one',
    traces: await publishTraces(lab.store, 'one'),
  });
  const both = await Promise.all([1, 2].map(() => localiseModel({ uri }, 'model.uri', optionsOf('twice'))));
  expect(both[0]).toEqual(both[1]);
  expect(await readFile(join(both[0]?.dir ?? '', 'model.safetensors'), 'utf8')).toBe('merged one');
});

describe('the hub', () => {
  /** A client beside the Python that says and does this; its last argument but one is the folder. */
  async function fromHub(name: string, script: string, signal?: AbortSignal): Promise<LocalModel> {
    const options = optionsOf(name);
    const client = join(lab.dir, name, 'bin', 'hf');
    await mkdir(join(lab.dir, name, 'bin'), { recursive: true });
    await writeFile(client, `#!/bin/sh\n${script}\n`);
    await chmod(client, 0o755);
    const source = { uri: 'hf:example/model-404', revision: 'abc' };
    return await localiseModel(source, 'model.uri', { ...options, ...(signal ? { signal } : {}) });
  }

  it('may say more than a megabyte', async () => {
    const script = `head -c 5000000 /dev/zero | tr '\\0' x >&2; echo '{}' > "$6/config.json"`;
    const model = await fromHub('loud', script);
    expect(await readFile(join(model.dir, 'config.json'), 'utf8')).toBe('{}\n');
  });

  it.each([
    ["Error: Model 'example/model-404' not found.", 'MODEL_NOT_FOUND', false],
    ['Client error: 401 Unauthorized', 'MODEL_NOT_FOUND', false],
    ["Access denied. Model 'example/model' requires approval.", 'MODEL_NOT_FOUND', false],
    ['Local entry not found. We cannot connect to the hub.', 'ENDPOINT_UNREACHABLE', true],
    ['Server error: 503 Service Unavailable', 'ENDPOINT_UNREACHABLE', true],
  ])('that says "%s" is told as %s', async (said, code, retryable) => {
    const name = said.replaceAll(/\W/g, '');
    await expect(fromHub(name, `echo "${said}" >&2; exit 1`)).rejects.toMatchObject({ code, retryable });
  });

  it('is left when the attempt is ended', async () => {
    const ending = new AbortController();
    const asked = join(lab.dir, 'asked');
    const fetching = fromHub('ended', `touch ${asked}; exec sleep 60`, ending.signal);
    const timer = setInterval(() => {
      if (existsSync(asked)) ending.abort(new Error('the attempt is over'));
    }, 20);
    await expect(fetching).rejects.toThrow('the attempt is over');
    clearInterval(timer);
  });
});
