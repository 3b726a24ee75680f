/** Child process of checkpointUploads.test.ts: publishes one checkpoint, as an attempt that is killed on the way. */
import { openStore } from '../../src/services/store/index.ts';
import { startCheckpointUploads } from '../../src/services/train/checkpointUploads.ts';
import { TEST_CREDENTIALS, TEST_REGION } from './server.ts';

const [endpoint = '', bucket = '', fingerprint = '', dir = ''] = process.argv.slice(2);
const store = openStore({ endpoint, region: TEST_REGION, credentials: TEST_CREDENTIALS, bucket });
const say = (event: unknown): boolean => process.stdout.write(`${JSON.stringify(event)}\n`);
const uploads = startCheckpointUploads({
  trainings: store.trainings,
  fingerprint,
  epoch: 1,
  keep: 2,
  rollbacks: 0,
  signal: new AbortController().signal,
  onPublished: ({ step }) => say({ published: step }),
  onDelay: (step, problem) => say({ step, problem }),
  onSlow: (message) => say({ message }),
});
uploads.offer({ step: 20, dir, evalLoss: null, final: false });
await uploads.drain();
store.objects.close();
