/** Answers of a server on this host, which is started when the first missing batch is met, and stopped at the end. */
import { emptyUsage } from '../../contract/usage.ts';
import type { Sampling } from '../../contract/recipe.ts';
import { createChatClient, type ChatClient } from '../llm/client.ts';
import type { ModelServer } from './modelServer.ts';
import { SecpiError } from '../../contract/errors.ts';
import { EndpointError } from '../llm/errors.ts';
import {
  unanswered,
  type Answer,
  type AnsweredBatch,
  type AskedSample,
  type Batch,
} from './runGeneration.ts';

/** A request waits inside the server for its turn; a server that answers nothing at all is the caller's to notice. */
const REQUEST_TIMEOUT_MS = 24 * 3_600_000;

export interface LocalAnswersOptions {
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  startServer(): Promise<ModelServer>;
  /** After each answer. */
  onAnswer(): void;
}

export interface LocalAnswers {
  /** `id` tells the server which requests belong together. Throws SERVER_CRASHED. */
  answer(batch: Batch, id: string): Promise<AnsweredBatch>;
  close(): Promise<void>;
}

export function createLocalAnswers(options: LocalAnswersOptions): LocalAnswers {
  const { sampling, signal } = options;
  let running: { readonly server: ModelServer; readonly client: ChatClient } | null = null;
  const serve = async () => {
    if (running !== null) return running;
    const server = await options.startServer();
    const { baseUrl, model } = server;
    running = { server, client: createChatClient({ baseUrl, model, timeoutMs: REQUEST_TIMEOUT_MS }) };
    return running;
  };
  return {
    answer: async (batch, id) => {
      const { server, client } = await serve();
      const stop = new AbortController();
      const requests = batch.samples.map(async (sample) => {
        const answer = await ask(client, sample, {
          sampling,
          header: `${id}-${batch.index}/${batch.samples.length}`,
          signal: AbortSignal.any([signal, stop.signal]),
        });
        options.onAnswer();
        return answer;
      });
      try {
        return withUsage(refuseAll(await Promise.race([Promise.all(requests), server.crashed])));
      } catch (error) {
        stop.abort();
        await Promise.allSettled(requests);
        throw error;
      }
    },
    close: async () => {
      await running?.client.close();
      await running?.server.stop();
    },
  };
}

async function ask(
  client: ChatClient,
  { message, seed }: AskedSample,
  {
    sampling,
    header,
    signal,
  }: { readonly sampling: Sampling; readonly header: string; readonly signal: AbortSignal },
): Promise<Answer> {
  try {
    const { text, reasoning, finishReason, usage } = await client.complete({
      messages: [{ role: 'user', content: message }],
      sampling: { ...sampling, seed },
      headers: { 'x-secpi-batch': header },
      signal,
    });
    const { promptTokens, completionTokens } = usage;
    return { reply: text, reasoning, finishReason, promptTokens, completionTokens, problem: null };
  } catch (error) {
    // A prompt that does not fit the model's context is this sample's end, and no other's.
    if (error instanceof EndpointError && error.kind === 'request') return unanswered(error.problem);
    throw error;
  }
}

/** One prompt may be too long; a server that takes none has something against all of them. */
function refuseAll(answers: readonly Answer[]): readonly Answer[] {
  if (answers.length < 2 || answers.some(({ reply }) => reply !== null)) return answers;
  throw new SecpiError(
    'ENDPOINT_REFUSED',
    `the model server refused a whole batch: ${answers[0]?.problem ?? ''}`,
    {
      field: 'evaluate.sampling',
    },
  );
}

function withUsage(answers: readonly Answer[]): AnsweredBatch {
  const sum = (of: 'promptTokens' | 'completionTokens'): number =>
    answers.reduce((total, answer) => total + answer[of], 0);
  return {
    answers,
    usage: {
      ...emptyUsage,
      requests: answers.length,
      promptTokens: sum('promptTokens'),
      completionTokens: sum('completionTokens'),
    },
  };
}
