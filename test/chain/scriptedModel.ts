/** A model behind a real HTTP endpoint whose answers a test decides, by the whole user message and the seed. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

const requestSchema = z.looseObject({
  messages: z.array(z.looseObject({ role: z.string(), content: z.string() })).min(1),
  seed: z.int().optional(),
});

export interface ScriptedModel {
  readonly baseUrl: string;
  /** Chat requests answered so far. */
  readonly requests: number;
  close(): Promise<void>;
}

/** `answer` null: the request is refused for good, as a content filter does. */
export async function startScriptedModel(
  answer: (message: string, seed: number) => string | null,
): Promise<ScriptedModel> {
  let requests = 0;
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method === 'GET') {
      send(200, { data: [{ id: 'scripted' }] });
      return;
    }
    void (async () => {
      requests += 1;
      const { messages, seed = 0 } = requestSchema.parse(await json(request));
      const content = answer(messages.at(-1)?.content ?? '', seed);
      if (content === null) {
        send(400, { error: { message: 'refused', code: 'content_filter' } });
        return;
      }
      send(200, {
        id: `answer-${requests}`,
        model: 'scripted',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
        usage: { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 },
      });
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    get requests() {
      return requests;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
