/**
 * What a stage makes of the same input, by the code version that is in its fingerprint. A changed output under an
 * old version would be taken for the old artefact: raise the version constant, then write the new line with
 * SECPI_UPDATE_GOLDEN=1.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { datasetSchema } from '../../src/contract/recipe.ts';
import type { FilteredRow } from '../../src/contract/rows.ts';
import { DATASET_CODE_VERSION, importRows, noCounts } from '../../src/services/dataset/importDataset.ts';
import { openSource } from '../../src/services/dataset/source.ts';
import { createCodeParser } from '../../src/services/distill/parseCode.ts';
import { examine } from '../../src/services/distill/candidates.ts';
import { toPair } from '../../src/services/distill/choose.ts';
import { promptVersionOf, teacherMessages } from '../../src/services/distill/prompt.ts';
import { FILTER_PROMPT_VERSION, filterMessages } from '../../src/services/filter/prompt.ts';
import { GENERATE_CODE_VERSION } from '../../src/services/generate/runGeneration.ts';
import { planSamples } from '../../src/services/generate/plan.ts';
import { splitReasoning } from '../../src/services/llm/reasoning.ts';
import { canonicalJson, sha256Hex } from '../../src/services/store/index.ts';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import { DISTILL_CODE_VERSION } from '../../src/activities/distil.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const goldenFile = fileURLToPath(new URL('golden.json', import.meta.url));
const store = createObjectStore({ endpoint: 'http://127.0.0.1:1', region: 'none', bucket: 'nowhere' });

async function taskRows(): Promise<FilteredRow[]> {
  const dataset = datasetSchema.parse({ uri: 'records/tasks.jsonl' });
  const source = await openSource(dataset, store, project);
  const rows = await Array.fromAsync(importRows(source, dataset, noCounts(), { scratchDir: tmpdir() }));
  return rows.flatMap((row) =>
    row.kind === 'task' ? [{ ...row.row, cwes: ['CWE-89'], reason: 'golden' }] : [],
  );
}

async function examinedTraces(): Promise<unknown[]> {
  const parser = createCodeParser('python3');
  try {
    const examined: unknown[] = [];
    for (const row of await taskRows()) {
      const text = await readFile(join(project, 'records/traces', `${row.id}.md`), 'utf8').catch(() => null);
      if (text === null) continue;
      const finishReason = text.startsWith('<!-- finish_reason: length -->') ? 'length' : 'stop';
      const body = text.replace(/^<!--.*-->\n/, '');
      const split = splitReasoning({ content: body, reasoning: null, reasoningContent: null });
      const outcome = await examine(row, 0, { ...split, finishReason }, parser);
      examined.push(
        outcome.kind === 'rejected' ? outcome : toPair(row, outcome.candidate, 'structured', false),
      );
    }
    return examined;
  } finally {
    await parser.close();
  }
}

const outputs: Readonly<Record<string, () => Promise<unknown>>> = {
  [`dataset rows, code ${DATASET_CODE_VERSION}`]: taskRows,
  [`filter prompt, ${FILTER_PROMPT_VERSION}`]: async () => filterMessages('Write f(x).'),
  [`teacher prompt, ${promptVersionOf('structured')}`]: async () => [
    teacherMessages('Write f(x).', ['CWE-22', 'CWE-78'], 'structured'),
    teacherMessages('Write f(x).', [], 'structured'),
  ],
  [`teacher prompt, ${promptVersionOf('generic')}`]: async () =>
    teacherMessages('Write f(x).', ['CWE-22'], 'generic'),
  [`teacher prompt, ${promptVersionOf('none')}`]: async () =>
    teacherMessages('Write f(x).', ['CWE-22'], 'none'),
  [`pairs and rejections, code ${DISTILL_CODE_VERSION}`]: examinedTraces,
  [`plan of samples, code ${GENERATE_CODE_VERSION}`]: async () =>
    planSamples({ taskIds: ['a', 'b'], variants: ['none', 'generic'], samplesPerTask: 3, seed: 7 }).map(
      (planned) => ({ ...planned }),
    ),
};

it.each(Object.entries(outputs))('%s is what it was', async (name, make) => {
  const golden = JSON.parse(await readFile(goldenFile, 'utf8')) as Record<string, string>;
  const hash = sha256Hex(canonicalJson(JSON.parse(JSON.stringify(await make()))));
  if (process.env['SECPI_UPDATE_GOLDEN'] !== undefined) {
    golden[name] ??= hash;
    await writeFile(goldenFile, `${JSON.stringify(golden, null, 2)}\n`);
  }
  expect(golden[name]).toBe(hash);
});
