/** Notices of each cloud against a local service that speaks its protocol; and services that do not. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { watchPreemption, type WatchOptions } from '../../src/services/gpu/preemption/watch.ts';
import type { PreemptionNotice } from '../../src/services/gpu/types.ts';
import { until } from '../chain/stack.ts';
import {
  ec2,
  interruptionIn,
  reply,
  startMetadataServer,
  type Answerer,
  type MetadataServer,
} from './metadataServer.ts';

const ended: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

interface Watched {
  readonly notices: PreemptionNotice[];
  readonly told: string[];
}

function watch(options: Partial<WatchOptions>): Watched {
  const notices: PreemptionNotice[] = [];
  const told: string[] = [];
  const watcher = watchPreemption({
    sources: 'auto',
    kubernetes: null,
    graceMs: 30_000,
    log: (level, message, meta) => told.push(`${level} ${message} ${JSON.stringify(meta ?? {})}`),
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  ended.push(() => watcher.stop());
  return { notices, told };
}

async function serve(answer: Answerer): Promise<MetadataServer> {
  const server = await startMetadataServer(answer);
  ended.push(async () => await server.close());
  return server;
}

const first = async ({ notices }: Watched): Promise<PreemptionNotice> =>
  await until('a notice', async () => notices[0], 20_000);
const secondsLeft = ({ deadlineMs }: PreemptionNotice): number => (deadlineMs - Date.now()) / 1000;

describe('AWS', () => {
  it('is found by its token, asked every five seconds, and its interruption is the notice', async () => {
    const state: Parameters<typeof ec2>[0] = { interruption: null };
    const { url, requests } = await serve(ec2(state));
    const watched = watch({ metadataUrl: url });
    await until('it is asked', async () => requests.includes('GET /latest/meta-data/spot/instance-action'));
    await delay(300);
    expect(watched.notices).toEqual([]);
    expect(watched.told).toEqual(['INFO looking out for preemption notices of aws {}']);
    state.interruption = interruptionIn(120);
    const notice = await first(watched);
    expect(notice).toMatchObject({ from: 'aws', reason: 'terminate' });
    expect(secondsLeft(notice)).toBeGreaterThan(105);
    expect(secondsLeft(notice)).toBeLessThanOrEqual(120);
    const asked = requests.length;
    await delay(300);
    expect(requests.length).toBe(asked);
  }, 30_000);

  it('warns of a rebalance recommendation, once, and goes on', async () => {
    const state = { interruption: null, rebalance: '{"noticeTime": "2026-11-21T10:00:00Z"}' };
    const { url } = await serve(ec2(state));
    const watched = watch({ metadataUrl: url, sources: ['aws'] });
    await until('it warns', async () => watched.told.some((line) => line.includes('WARN aws warns')));
    await delay(6000);
    expect(watched.told.filter((line) => line.startsWith('WARN'))).toHaveLength(1);
    expect(watched.notices).toEqual([]);
  }, 30_000);

  it('is asked for a new token when the old one has expired', async () => {
    let refused = false;
    const good = ec2({ interruption: interruptionIn(60, 'stop') });
    const { url } = await serve((request, response) => {
      if (request.url?.endsWith('instance-action') === true && !refused) {
        refused = true;
        return reply(response, 401, 'unauthorized');
      }
      return good(request, response);
    });
    const notice = await first(watch({ metadataUrl: url, sources: ['aws'] }));
    expect(refused).toBe(true);
    expect(notice.reason).toBe('stop');
  }, 30_000);
});

/** `instance/preempted`, with the long request that waits for a change. */
function computeEngine(): { answer: Answerer; preempt(): void } {
  let value = 'FALSE';
  const waiting = new Set<ServerResponse>();
  const headers = (): Record<string, string> => ({ 'Metadata-Flavor': 'Google', ETag: `etag-${value}` });
  return {
    answer: (request, response) => {
      if (request.headers['metadata-flavor'] !== 'Google') return reply(response, 403, 'forbidden');
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (url.pathname === '/') return reply(response, 200, '0.1/\ncomputeMetadata/\n', headers());
      if (url.pathname !== '/computeMetadata/v1/instance/preempted') return reply(response, 404, 'not found');
      const { searchParams } = url;
      if (searchParams.get('wait_for_change') === 'true' && searchParams.get('last_etag') === `etag-${value}`)
        return void waiting.add(response);
      return reply(response, 200, value, headers());
    },
    preempt: () => {
      value = 'TRUE';
      for (const response of waiting) reply(response, 200, value, headers());
    },
  };
}

describe('GCP', () => {
  it('is found by its header; the change is told at once, and the grace period counts', async () => {
    const machine = computeEngine();
    const { url, requests } = await serve(machine.answer);
    const watched = watch({ metadataUrl: url, graceMs: 25_000 });
    await until('it waits', async () => requests.some((line) => line.includes('wait_for_change=true')));
    await delay(200);
    expect(watched.notices).toEqual([]);
    const preemptedMs = Date.now();
    machine.preempt();
    const notice = await first(watched);
    expect(Date.now() - preemptedMs).toBeLessThan(1500);
    expect(notice).toMatchObject({ from: 'gcp', reason: 'preempted' });
    expect(secondsLeft(notice)).toBeGreaterThan(22);
    expect(secondsLeft(notice)).toBeLessThanOrEqual(25);
  });

  it('that was preempted before the watch began is noticed', async () => {
    const machine = computeEngine();
    machine.preempt();
    const { url } = await serve(machine.answer);
    expect((await first(watch({ metadataUrl: url, sources: ['gcp'] }))).from).toBe('gcp');
  });
});

interface AzureEvent {
  EventType: string;
  Resources: string[];
  EventStatus?: string;
  NotBefore?: string;
}

function azureMachine(events: () => AzureEvent[]): Answerer {
  return (request, response) => {
    if (request.headers['metadata'] !== 'true') return reply(response, 400, 'bad request');
    if (request.url === '/metadata/instance/compute/name?api-version=2021-02-01&format=text')
      return reply(response, 200, 'gpu-set_3');
    if (request.url !== '/metadata/scheduledevents?api-version=2020-07-01') return reply(response, 404, '');
    const Events = events().map((event, index) => ({
      EventId: `E-${index}`,
      EventStatus: 'Scheduled',
      ResourceType: 'VirtualMachine',
      NotBefore: new Date(Date.now() + 40_000).toUTCString(),
      Description: '',
      EventSource: 'Platform',
      DurationInSeconds: -1,
      ...event,
    }));
    return reply(response, 200, JSON.stringify({ DocumentIncarnation: Events.length, Events }));
  };
}

describe('Azure', () => {
  it('is found by its machine name; only an event that names this machine is its notice', async () => {
    let events: AzureEvent[] = [{ EventType: 'Preempt', Resources: ['gpu-set_1', 'gpu-set_2'] }];
    const { url, requests } = await serve(azureMachine(() => events));
    const watched = watch({ metadataUrl: url });
    await until(
      'it is asked twice',
      async () => requests.filter((line) => line.includes('scheduled')).length > 1,
    );
    expect(watched.notices).toEqual([]);
    events = [...events, { EventType: 'Preempt', Resources: ['GPU-SET_3'] }];
    const notice = await first(watched);
    expect(notice).toMatchObject({ from: 'azure', reason: 'Preempt' });
    expect(secondsLeft(notice)).toBeGreaterThan(35);
    expect(secondsLeft(notice)).toBeLessThanOrEqual(40);
  });

  it('that began to delete the machine leaves no time', async () => {
    const event = { EventType: 'Terminate', Resources: ['gpu-set_3'], EventStatus: 'Started', NotBefore: '' };
    const { url } = await serve(azureMachine(() => [event]));
    const notice = await first(watch({ metadataUrl: url, sources: ['azure'] }));
    expect(notice.reason).toBe('Terminate');
    expect(secondsLeft(notice)).toBeLessThanOrEqual(0);
  });

  it('that will reboot the machine is told, and is no notice', async () => {
    const { url } = await serve(azureMachine(() => [{ EventType: 'Reboot', Resources: ['gpu-set_3'] }]));
    const watched = watch({ metadataUrl: url, sources: ['azure'] });
    await until('it warns', async () => watched.told.some((line) => line.includes('Reboot of this machine')));
    expect(watched.notices).toEqual([]);
  });
});

/** A certificate authority and a certificate of it, as a cluster has; made by openssl. */
async function makeCluster(): Promise<{ dir: string; key: string; cert: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'secpi-cluster-'));
  ended.push(async () => await rm(dir, { recursive: true, force: true }));
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'ca.crt')];
  const made =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=kubernetes';
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...made.split(' '), ...names, '-keyout', key, '-out', cert]);
  await writeFile(join(dir, 'token'), 'the-token\n');
  await writeFile(join(dir, 'namespace'), 'ml');
  return { dir, key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

describe('Kubernetes', () => {
  async function startApi(pod: () => { metadata?: object; status?: object }): Promise<Partial<WatchOptions>> {
    const { dir, key, cert } = await makeCluster();
    const answer: Answerer = (request, response) => {
      if (request.headers.authorization !== 'Bearer the-token')
        return reply(response, 403, '{"kind":"Status"}');
      if (request.url !== '/api/v1/namespaces/ml/pods/gpu-7') return reply(response, 404, '{}');
      const { metadata, status } = pod();
      return reply(
        response,
        200,
        JSON.stringify({
          kind: 'Pod',
          metadata: { name: 'gpu-7', ...metadata },
          spec: { terminationGracePeriodSeconds: 90 },
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], ...status },
        }),
      );
    };
    const server = await startMetadataServer(answer, { key, cert });
    ended.push(async () => await server.close());
    return {
      metadataUrl: 'http://127.0.0.1:9',
      kubernetes: { apiUrl: server.url, podName: 'gpu-7', serviceAccountDir: dir },
    };
  }

  it('tells by the deletion of the pod when it is killed', async () => {
    let metadata = {};
    const watched = watch(await startApi(() => ({ metadata })));
    await until('it is watched', async () => watched.told.some((line) => line.includes('kubernetes')));
    await delay(200);
    expect(watched.notices).toEqual([]);
    metadata = { deletionTimestamp: new Date(Date.now() + 60_000).toISOString() };
    const notice = await first(watched);
    expect(notice).toMatchObject({ from: 'kubernetes', reason: 'deleted' });
    expect(secondsLeft(notice)).toBeGreaterThan(54);
    expect(secondsLeft(notice)).toBeLessThanOrEqual(60);
  });

  it('tells by its condition that a pod is about to be evicted', async () => {
    const conditions = [
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        lastTransitionTime: new Date().toISOString(),
      },
    ];
    const notice = await first(watch(await startApi(() => ({ status: { conditions } }))));
    expect(notice.reason).toBe('EvictionByEvictionAPI');
    expect(secondsLeft(notice)).toBeGreaterThan(80);
  });

  it('says what right is missing', async () => {
    const options = await startApi(() => ({}));
    await writeFile(join(options.kubernetes?.serviceAccountDir ?? '', 'token'), 'another');
    const watched = watch({ ...options, sources: ['kubernetes'] });
    await until('it is told', async () =>
      watched.told.some((line) => line.includes('give it \\"get\\" on pods')),
    );
    expect(watched.notices).toEqual([]);
  });
});

describe('a service that is none', () => {
  const cases: [string, Answerer][] = [
    ['answers nonsense', (_, response) => reply(response, 200, '<html>Welcome to the hotel</html>')],
    ['answers without end', (_, response) => void response.write('x'.repeat(5 * 2 ** 20))],
    ['answers errors', (_, response) => reply(response, 500, 'internal error')],
    ['closes the connection', (request) => void request.socket.destroy()],
    ['hangs', () => undefined],
  ];
  it.each(cases)('%s: it is not watched', async (_, answer) => {
    const { url, requests } = await serve(answer);
    const watched = watch({ metadataUrl: url });
    await until('it is probed', async () => requests.length >= 3);
    await delay(2300);
    const probes = requests.length;
    await delay(700);
    expect(requests.length).toBe(probes);
    expect(watched).toEqual({ notices: [], told: [] });
  });

  it.each(cases)(
    '%s, although it was named: no notice, no crash, told once',
    async (_, answer) => {
      const { url } = await serve(answer);
      const watched = watch({ metadataUrl: url, sources: ['aws', 'gcp', 'azure'] });
      await until(
        'aws is told of',
        async () => watched.told.some((line) => line.includes('WARN aws')),
        20_000,
      );
      await delay(1500);
      expect(watched.notices).toEqual([]);
      for (const name of ['aws', 'gcp', 'azure'])
        expect(watched.told.filter((line) => line.includes(`WARN ${name}`)).length).toBeLessThanOrEqual(1);
    },
    30_000,
  );

  const aws = '/latest/meta-data/spot/instance-action';
  it.each([
    ['no JSON', 'terminate'],
    ['no time', '{"action":"terminate"}'],
    ['a time that is none', '{"action":"terminate","time":"soon"}'],
    ['another action', '{"action":"dance","time":"2030-01-01T00:00:00Z"}'],
  ])('an interruption of %s is no notice', async (_, interruption) => {
    const { url, requests } = await serve(ec2({ interruption }));
    const watched = watch({ metadataUrl: url });
    await until('it is asked', async () => requests.includes(`GET ${aws}`));
    await until('it is told', async () =>
      watched.told.some((line) => line.startsWith('WARN aws tells nothing')),
    );
    expect(watched.notices).toEqual([]);
  });

  it('is not asked at all when it is off', async () => {
    const { url, requests } = await serve(ec2({ interruption: interruptionIn(60) }));
    const watched = watch({ metadataUrl: url, sources: [] });
    await delay(500);
    expect(requests).toEqual([]);
    expect(watched).toEqual({ notices: [], told: [] });
  });
});
