/** The activity that runs rows' own tests: candidates from a real store, the real sandbox, verdicts back to the store. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testTraces } from '../../src/activities/testTraces.ts';
import { testVerdictSchema } from '../../src/services/distill/candidates.ts';
import { createSandbox, type Sandbox, type Toolchain } from '../../src/services/sandbox/index.ts';
import { readRows, writeRows, type Store } from '../../src/services/store/index.ts';
import { processesWith, testToolchain, until } from '../sandbox/support.ts';
import { startServer, type TestServer } from '../store/server.ts';
import { candidateOf } from './recorded.ts';

let server: TestServer;
let store: Store;
let host: { readonly sandbox: Sandbox; readonly toolchain: Toolchain };

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  const toolchain = await testToolchain();
  host = { toolchain, sandbox: await createSandbox({ toolchain }) };
}, 300_000);
afterAll(() => server.stop());

const TESTS = 'from solution import f\ndef test_f():\n    assert f(1) == 2\n';
const partOf = async (candidates: readonly object[]) => {
  const [part] = await writeRows(store.blobs, candidates, { rowsPerPart: 1000 });
  if (part === undefined) throw new Error('no candidates');
  return part;
};

const fingerprint = 'f'.repeat(64);

it('gives a verdict for every candidate, in order, and equal ones for equal candidates', async () => {
  const codes = ['def f(x): return x + 1', 'def f(x): return x', 'import os; os._exit(0)', 'def g(): pass'];
  const candidates = await partOf([
    ...codes.map((code, index) =>
      candidateOf({ index, id: `r${index}`, sample: index % 2, code, tests: TESTS }),
    ),
    candidateOf({ index: 9, language: 'rust', tests: '#[test]' }),
    candidateOf({ index: 10, tests: null }),
    candidateOf({ index: 11, tests: 'def test_f(:' }),
  ]);
  let beats = 0;
  const run = { signal: new AbortController().signal, beat: () => (beats += 1) };
  const { verdicts } = await testTraces({ store }, run, host, { fingerprint, candidates });
  const rows = await Array.fromAsync(readRows(store.blobs, [verdicts], {}, testVerdictSchema));
  expect(rows.map(({ index, sample, kind }) => [index, sample, kind])).toEqual([
    [0, 0, 'passed'],
    [1, 1, 'failed'],
    [2, 0, 'failed'],
    [3, 1, 'failed'],
    [9, 0, 'noTests'],
    [10, 0, 'noTests'],
    [11, 0, 'unknown'],
  ]);
  expect(rows[1]?.detail).toContain('test_f: ');
  expect(beats).toBe(7);
  expect((await testTraces({ store }, run, host, { fingerprint, candidates })).verdicts.sha256).toBe(
    verdicts.sha256,
  );
});

it('leaves no process behind when it is cancelled', async () => {
  const marker = 'secpi-marker-of-the-cancelled-test';
  const code = `import os\nos.execv("/bin/sh", ["sh", "-c", "while true; do sleep 1; done # ${marker}"])`;
  const candidates = await partOf([0, 1, 2].map((index) => candidateOf({ index, code, tests: TESTS })));
  const controller = new AbortController();
  const testing = testTraces({ store }, { signal: controller.signal, beat: () => undefined }, host, {
    fingerprint,
    candidates,
  });
  testing.catch(() => undefined);
  expect(await until(() => processesWith(marker).length > 0, 20_000)).toBe(true);
  controller.abort(new Error('cancelled'));
  await expect(testing).rejects.toThrow('cancelled');
  expect(await until(() => processesWith(marker).length === 0, 5000)).toBe(true);
});
