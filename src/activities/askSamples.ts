/** Samples through an endpoint that is there already: each answer is paid once, whatever dies, and found again by its key. */
import { createHash } from 'node:crypto';
import type { Busy, DataActivities, GeneratedSamples } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import { emptyUsage } from '../contract/usage.ts';
import {
  unanswered,
  type Answer,
  type AnsweredBatch,
  type AskedSample,
  type Batch,
} from '../services/generate/runGeneration.ts';
import { askRows, tidyLedger } from './askRows.ts';
import { identityOf, type AskPools } from './askPools.ts';
import type { Deps } from './deps.ts';
import { generateEach } from './generateSamples.ts';
import type { ActivityRun } from './runActivity.ts';

type Input<Name extends keyof DataActivities> = Parameters<DataActivities[Name]>[0];

/** Refused or given up, more than this says something of the endpoint and not of the model: nothing is published. */
const MAX_UNANSWERED_SHARE = 0.05;
/** Rows in hand for one request in flight, so that the last of a batch leaves nothing idle. */
const ROWS_PER_REQUEST = 4;

export async function askSamples(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  input: Input<'askSamples'>,
): Promise<GeneratedSamples | Busy> {
  const { evaluate, field, stage, budget } = input;
  const endpoint = { ...input.endpoint, sampling: evaluate.sampling };
  const { model, revision, baseUrl, baseUrlEnv } = endpoint;
  const address = baseUrl ?? baseUrlEnv ?? '';
  // Servers of one's own are often all called "default": what tells two models apart is their address.
  const promptVersion = `benchmark at ${address}`;
  const generated = await generateEach(deps, run, input, {
    identity: { ...identityOf(endpoint, promptVersion) },
    facts: { model, revision, endpoint: address },
    inputs: [],
    // A provider's job takes hours, whatever it holds.
    batchesAtOnce:
      endpoint.transport === 'batch'
        ? Number.MAX_SAFE_INTEGER
        : Math.max(1, Math.ceil((endpoint.concurrency * ROWS_PER_REQUEST) / evaluate.batchSamples)),
    answer: async (batches, fingerprint) => {
      const asked = batches
        .flatMap(({ samples }) => samples)
        .map((sample) => ({ ...sample, id: idOf(sample) }));
      const { results, usage } = await askRows(deps, pools, run, {
        endpoint,
        field,
        stage,
        promptVersion,
        fingerprint,
        budget,
        rows: asked,
        sampleOf: ({ sample }) => sample,
        elsewhere: true,
        messages: ({ message }) => [{ role: 'user', content: message }],
        interpret: (answer) => answer,
      });
      const dead = results.flatMap((result) => (result.kind === 'dead' ? [result.error] : []));
      if (dead.length > Math.max(1, results.length * MAX_UNANSWERED_SHARE)) {
        throw new SecpiError(
          'TOO_MANY_BAD_ROWS',
          `${dead.length} of ${results.length} requests got no answer, which says more of the endpoint than of the model. The first: ${dead[0]?.problem ?? ''}`,
          {
            field,
            remedy: 'Mend the endpoint or the sampling, and start the run again: what was paid is kept.',
          },
        );
      }
      const answers = results.map((result): Answer => {
        // Nobody answered this one, however often: a sample without a reply, which is a failure of the model.
        if (result.kind === 'dead') return unanswered(result.error.problem);
        const { text, reasoning, finishReason, usage: tokens } = result.value;
        const { promptTokens, completionTokens } = tokens;
        return { reply: text, reasoning, finishReason, promptTokens, completionTokens, problem: null };
      });
      return share(batches, answers, usage);
    },
  });
  await tidyLedger(deps, pools, endpoint, promptVersion);
  return generated;
}

/** The first batch carries what all of them cost: usage is told of the request as a whole. */
function share(
  batches: readonly Batch[],
  answers: readonly Answer[],
  usage: AnsweredBatch['usage'],
): AnsweredBatch[] {
  let from = 0;
  return batches.map(({ samples }, position) => {
    const to = from + samples.length;
    const batch = { answers: answers.slice(from, to), usage: position === 0 ? usage : emptyUsage };
    from = to;
    return batch;
  });
}

function idOf({ variant, taskId, sample }: AskedSample): string {
  return createHash('sha256').update(`${variant}\n${taskId}\n${sample}`).digest('hex').slice(0, 24);
}
