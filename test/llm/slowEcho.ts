/** Script of the kill tests: answers every prompt after `DELAY_MS` with a text made of the prompt. */
import type { Script } from './scriptedServer.ts';

export function makeScript([delayMs = '50']: readonly string[]): Script {
  return ({ prompt }) => ({
    kind: 'delay',
    ms: Number(delayMs),
    reply: { kind: 'answer', text: echoOf(prompt) },
  });
}

export function echoOf(prompt: string): string {
  return `answer to ${prompt} — ü ${'x'.repeat(200)}`;
}
