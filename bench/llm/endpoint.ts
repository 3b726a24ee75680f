/**
 * The endpoint that is measured against, in a process of its own: answers of 1 KB after a while, with faults and caps
 * on demand. `node bench/llm/endpoint.ts` prints `{"url"}`; what it counts is at GET /counts.
 *
 * Environment: PORT, LATENCY_MS (50), ANSWER_BYTES (1024), REFUSE_SHARE (429), FAULT_SHARE (500), RATE_CAP (requests a
 * second, then 429 with Retry-After; RATE_BURST for a token bucket, else windows of a second), SEED.
 */
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const latencyMs = number('LATENCY_MS', 50);
const answerBytes = number('ANSWER_BYTES', 1024);
const refuseShare = number('REFUSE_SHARE', 0);
const faultShare = number('FAULT_SHARE', 0);
const rateCap = number('RATE_CAP', 0);
const burst = number('RATE_BURST', 0);
let randomState = number('SEED', 1);

const counts = { requests: 0, answered: 0, refused: 0, faults: 0, cutOff: 0, paidTwice: 0, maxInFlight: 0 };
let inFlight = 0;
/** Answers by prompt: more than one is money paid twice. */
const answeredPrompts = new Set<number>();
/** Answers handed over in each tenth of a second since the start. */
const answersByTenth: number[] = [];
const firstAfterMs: number[] = [];
const startedMs = Date.now();
let firstRequestMs = 0;
let lastAnswerMs = 0;
const filler = 'x'.repeat(answerBytes);

let windowSecond = -1;
let inWindow = 0;
let tokens = burst;
let filledMs = performance.now();

/** Null when the request is let in, else how long to stay away, in seconds. */
function refusal(): number | null {
  if (rateCap === 0) return null;
  if (burst > 0) {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - filledMs) / 1000) * rateCap);
    filledMs = now;
    if (tokens >= 1) {
      tokens -= 1;
      return null;
    }
    return (1 - tokens) / rateCap;
  }
  const second = Math.floor(Date.now() / 1000);
  if (second !== windowSecond) {
    windowSecond = second;
    inWindow = 0;
  }
  inWindow += 1;
  return inWindow > rateCap ? 1 : null;
}

/** xorshift32: the same faults for the same seed. */
function random(): number {
  randomState ^= randomState << 13;
  randomState ^= randomState >>> 17;
  randomState ^= randomState << 5;
  return (randomState >>> 0) / 2 ** 32;
}

/** 48 bits tell a million prompts apart, and stay small. */
function hash(text: string): number {
  return createHash('md5').update(text).digest().readUIntBE(0, 6);
}

function promptOf(body: string): string {
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  return messages.at(-1)?.content ?? '';
}

function answer(prompt: string, response: ServerResponse): void {
  if (response.destroyed) return;
  const text = `${prompt.slice(0, 60)} ${filler}`.slice(0, answerBytes);
  const promptTokens = Math.ceil(prompt.length / 4);
  const completionTokens = Math.ceil(text.length / 4);
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      id: 'bench',
      object: 'chat.completion',
      model: 'bench',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
      usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
    }),
  );
  counts.answered += 1;
  lastAnswerMs = Date.now();
  const key = hash(prompt);
  if (answeredPrompts.has(key)) counts.paidTwice += 1;
  answeredPrompts.add(key);
  const tenth = Math.floor((Date.now() - startedMs) / 100);
  answersByTenth[tenth] = (answersByTenth[tenth] ?? 0) + 1;
}

const server = createServer((request, response) => {
  if (request.url === '/counts')
    return void response.end(
      JSON.stringify({
        ...counts,
        distinct: answeredPrompts.size,
        answersByTenth,
        firstAfterMs,
        firstRequestMs,
        lastAnswerMs,
      }),
    );
  if (request.method !== 'POST') return void response.end('{"object":"list","data":[{"id":"bench"}]}');
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    counts.requests += 1;
    if (counts.requests === 1) firstRequestMs = Date.now();
    if (counts.requests === 1 || inFlight === 0) firstAfterMs.push(Date.now());
    inFlight += 1;
    counts.maxInFlight = Math.max(counts.maxInFlight, inFlight);
    let done = false;
    response.on('close', () => {
      inFlight -= 1;
      if (!done) counts.cutOff += 1;
    });
    const retryAfter = refusal();
    if (retryAfter !== null || (refuseShare > 0 && random() < refuseShare)) {
      done = true;
      counts.refused += 1;
      response.writeHead(429, { 'retry-after': String(retryAfter ?? 0), 'content-type': 'application/json' });
      return void response.end('{"error":{"message":"slow down"}}');
    }
    const faulty = faultShare > 0 && random() < faultShare / (1 - refuseShare);
    setTimeout(() => {
      if (response.destroyed) return;
      done = true;
      if (!faulty) return answer(promptOf(Buffer.concat(chunks).toString()), response);
      counts.faults += 1;
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"a fault"}}');
    }, latencyMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(number('PORT', 0), '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/v1` })}\n`);
});
