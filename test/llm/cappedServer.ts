/** Script of the rate tests, in a process of its own: answers after 50 ms, 300 a second at most. */
import type { Script } from './scriptedServer.ts';
import { fixedWindow, tokenBucket } from './simulatedAddress.ts';

export const CAP_PER_SECOND = 300;

export function makeScript([kind = 'window']: readonly string[]): Script {
  const admit =
    kind === 'window'
      ? fixedWindow(() => CAP_PER_SECOND, 0, 'whole seconds')
      : tokenBucket(CAP_PER_SECOND, 30, 'exactly');
  return ({ prompt }) => {
    const refusal = admit(performance.now());
    if (refusal === null) return { kind: 'delay', ms: 50, reply: { kind: 'answer', text: prompt } };
    const seconds = (refusal.retryAfterMs ?? 0) / 1000;
    return { kind: 'status', status: 429, headers: { 'retry-after': String(seconds) } };
  };
}
