/** Answers of a server on this host, which is started when the first missing batch is met, and stopped at the end. */
import { emptyUsage } from '../../contract/usage.ts';
import type { Sampling } from '../../contract/recipe.ts';
import { createChatClient, type ChatClient } from '../llm/client.ts';
import type { ModelServer } from './modelServer.ts';
import type { Answer, AnsweredBatch, AskedSample, Batch } from './runGeneration.ts';

const REQUEST_TIMEOUT_MS = 30 * 60_000;

export interface LocalAnswersOptions {
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  startServer(): Promise<ModelServer>;
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
      const requests = batch.samples.map(
        async (sample) =>
          await ask(client, sample, {
            sampling,
            header: `${id}-${batch.index}/${batch.samples.length}`,
            signal: AbortSignal.any([signal, stop.signal]),
          }),
      );
      try {
        return withUsage(await Promise.race([Promise.all(requests), server.crashed]));
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
  const { text, reasoning, finishReason, usage } = await client.complete({
    messages: [{ role: 'user', content: message }],
    sampling: { ...sampling, seed },
    headers: { 'x-secpi-batch': header },
    signal,
  });
  const { promptTokens, completionTokens } = usage;
  return { reply: text, reasoning, finishReason, promptTokens, completionTokens };
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
