/** A receiver of notifications on this machine, for tests: keeps what came, and answers as it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** "lost": the message is taken, and the connection breaks before the answer. */
export type Answer =
  | 'lost'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

export interface TestReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** To the next message; 204 to those that nothing was said of. */
  answerNext(answer: Answer): void;
  close(): Promise<void>;
}

export async function startTestReceiver(): Promise<TestReceiver> {
  const received: Received[] = [];
  const answers: Answer[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
      const answer = answers.shift() ?? { status: 204 };
      if (answer === 'lost') request.socket.destroy();
      else response.writeHead(answer.status, answer.headers).end();
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    answerNext: (answer) => void answers.push(answer),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
