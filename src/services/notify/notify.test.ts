import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecpiError } from '../../contract/errors.ts';
import type { NightResult, NotifyTarget } from '../../contract/workflows.ts';
import { memoryObjects, type MemoryObjects } from '../../../test/llm/memoryObjects.ts';
import { notify } from './notify.ts';
import { isSignedBy, sign } from './signature.ts';
import { readTarget } from './target.ts';
import { startTestReceiver, type TestReceiver } from './testReceiver.ts';

const score = { value: 0.25, low: 0.2, high: 0.3, n: 40 };
const file = { uri: 's3://bucket/runs/nightly/run/report.html', sha256: 'a'.repeat(64) };
const night: NightResult = {
  series: 'coder <b>',
  at: '2026-01-02T02:30:00.000Z',
  scheduledAt: '2026-01-02T02:30:00.000Z',
  model: 'registry:coder@3',
  state: 'regression',
  regression: true,
  changed: true,
  benchmarks: [
    {
      name: 'suite',
      metric: 'funcSec',
      score,
      state: 'regression',
      baseline: { nights: 3, score: { ...score, value: 0.75 } },
      looks: [],
      record: 's3://bucket/evaluations/coder/1',
    },
  ],
  missedNights: 0,
  sentences: ['suite: func-and-secure fell to 25.0 % tonight.'],
  report: { summary: file, report: file, markdown: file },
};
const run = { workflowId: 'nightly-2026-01-02', firstRunId: 'run' };
const target: NotifyTarget = { urlEnv: 'HOOK', secretEnv: 'HOOK_SECRET', format: 'json', when: 'always' };

let receiver: TestReceiver;
let objects: MemoryObjects;
beforeEach(async () => {
  receiver = await startTestReceiver();
  objects = memoryObjects();
});
afterEach(async () => await receiver.close());

const send = async (
  changes: Partial<NotifyTarget> = {},
  HOOK = `${receiver.url}/token-of-hook`,
): Promise<void> =>
  await notify(objects, {
    target: { ...target, ...changes },
    night,
    run,
    environment: { HOOK, HOOK_SECRET: 'secret-of-hook' },
  });

async function refusal(work: Promise<unknown>): Promise<SecpiError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SecpiError)) throw new Error(`no error of the catalogue: ${String(error)}`);
  for (const secret of ['token-of-hook', 'secret-of-hook', '127.0.0.1'])
    expect(`${error.message} ${JSON.stringify(error.cause ?? null)}`).not.toContain(secret);
  return error;
}

describe('a notification', () => {
  it('carries the facts of the night, signed, and is sent once', async () => {
    await send();
    await send();
    expect(receiver.received).toHaveLength(1);
    const { headers, body } = receiver.received[0] ?? { headers: {} as IncomingHttpHeaders, body: '' };
    expect(JSON.parse(body)).toEqual({ type: 'secpi.night', version: 1, ...run, ...night });
    const [, time = '', hex = ''] =
      /^t=(\d+),v1=([0-9a-f]{64})$/u.exec(String(headers['secpi-signature'])) ?? [];
    expect(createHmac('sha256', 'secret-of-hook').update(`${time}.${body}`).digest('hex')).toBe(hex);
    expect(Number(time)).toBeCloseTo(Date.now() / 1000, -2);
  });

  it('is sent again after a lost answer, with the same key and the same bytes', async () => {
    receiver.answerNext('lost');
    expect((await refusal(send())).code).toBe('NOTIFY_UNREACHABLE');
    await send();
    const [first, second] = receiver.received;
    expect(receiver.received).toHaveLength(2);
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    expect(second?.body).toBe(first?.body);
  });

  it('has another key for another target', async () => {
    await send();
    await send({ format: 'slack' });
    expect(new Set(receiver.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(2);
  });

  it('reads well in Slack, whatever the names hold', async () => {
    await send({ format: 'slack' });
    const { text, blocks } = JSON.parse(receiver.received[0]?.body ?? '') as {
      text: string;
      blocks: unknown[];
    };
    expect(text).toBe('coder &lt;b&gt;: regression');
    expect(JSON.stringify(blocks)).toContain('suite: func-and-secure fell to 25.0 % tonight.');
    expect(JSON.stringify(blocks)).toContain('25.0 % (baseline 75.0 %, 40 samples)');
  });

  it.each([
    [400, 'NOTIFY_REFUSED'],
    [404, 'NOTIFY_REFUSED'],
    [301, 'NOTIFY_REFUSED'],
    [408, 'NOTIFY_UNREACHABLE'],
    [429, 'NOTIFY_UNREACHABLE'],
    [500, 'NOTIFY_UNREACHABLE'],
  ])('answered with %i is %s', async (status, code) => {
    receiver.answerNext({ status, headers: { location: 'http://127.0.0.1:1/', 'retry-after': '7' } });
    const error = await refusal(send());
    expect(error.code).toBe(code);
    expect(error.message).toContain(`HOOK answered ${status}`);
    expect(error.retryAfterMs).toBe(code === 'NOTIFY_UNREACHABLE' ? 7000 : undefined);
    expect(receiver.received).toHaveLength(1);
    expect(objects.objects.size).toBe(0);
  });

  it('says that nobody listens without saying where', async () => {
    const { url } = receiver;
    await receiver.close();
    const error = await refusal(send({}, `${url}/token-of-hook`));
    expect(error.message).toContain('ECONNREFUSED');
    receiver = await startTestReceiver();
  });
});

describe('a target', () => {
  it.each(['https://hooks.example/token', 'http://localhost:8080/x', 'http://[::1]:8080/x'])(
    '%s is fit',
    (HOOK) => expect(readTarget({ urlEnv: 'HOOK' }, { HOOK }).url.href).toBe(HOOK),
  );

  it.each([
    ['http://hooks.example/token-of-hook', 'neither https'],
    ['ftp://hooks.example/token-of-hook', 'neither https'],
    ['https://user:token-of-hook@hooks.example/', 'user name'],
    ['token-of-hook', 'no address'],
    ['', 'not set'],
  ])('%s is refused', async (HOOK, problem) => {
    const reading = Promise.resolve().then(() => readTarget({ urlEnv: 'HOOK' }, { HOOK }));
    expect((await refusal(reading)).message).toMatch(new RegExp(`HOOK.*${problem}`, 'u'));
  });

  it('without its secret is refused, not left unsigned', async () => {
    const reading = Promise.resolve().then(() => readTarget(target, { HOOK: 'https://hooks.example/' }));
    expect((await refusal(reading)).message).toContain('HOOK_SECRET is not set');
  });
});

describe('a signature', () => {
  const header = sign('secret', 'body', 1000);
  it.each([
    ['as it was made', 'secret', 'body', header, 1000, true],
    ['within the tolerance', 'secret', 'body', header, 1300, true],
    ['too old', 'secret', 'body', header, 1301, false],
    ['of another body', 'secret', 'body ', header, 1000, false],
    ['of another secret', 'Secret', 'body', header, 1000, false],
    ['with another time', 'secret', 'body', header.replace('t=1000', 't=1001'), 1000, false],
    ['that is none', 'secret', 'body', 'v1=00', 1000, false],
  ])('%s', (_, secret, body, text, unixSeconds, right) => {
    expect(isSignedBy(secret, body, text, { unixSeconds })).toBe(right);
  });
});
