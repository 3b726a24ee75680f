/**
 * `npm run histories`: runs each stage workflow once on a real stack with a small training and writes the histories
 * that the replay test holds the workflows to. Run it when a workflow was changed on purpose, with a migration note.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { makeTinyModel, quickRecipe, startTestStack } from '../chain/stack.ts';

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const stack = await startTestStack();
try {
  await stack.startWorker([]);
  const recipe = await quickRecipe();
  const small = {
    ...recipe,
    finetune: {
      ...recipe['finetune'],
      model: { uri: await makeTinyModel(stack.dir) },
      maxSteps: 4,
      checkpointEverySteps: 2,
    },
    evaluate: {
      ...recipe['evaluate'],
      samplesPerTask: 1,
      sampling: { temperature: 0.6, maxTokens: 16, seed: 7 },
      batchSamples: 18,
      gradeShardSamples: 9,
    },
  };
  await stack.client.workflow.execute('secpi', { taskQueue: 'secpi', workflowId: 'recorded', args: [small] });
  await mkdir(folder, { recursive: true });
  for (const id of [
    'recorded',
    'recorded/filter',
    'recorded/distil',
    'recorded/fine-tune',
    'recorded/evaluate-base',
  ]) {
    const history = await stack.client.workflow.getHandle(id).fetchHistory();
    const json = proto.temporal.api.history.v1.History.create(history);
    const name = id === 'recorded' ? 'secpi' : (id.split('/')[1] ?? id);
    const text = JSON.stringify(json.toJSON())
      .replaceAll(stack.dir, '/scratch')
      .replaceAll(/\d+@[\w.-]+/g, 'worker@host');
    await writeFile(join(folder, `${name}.json`), `${text}\n`);
    console.log(`${name}: ${history.events?.length ?? 0} events, ${text.length} bytes`);
  }
} finally {
  await stack.stop();
}
