/**
 * `npm run --silent faults:llm`: the data engine under kills, outages, faults and caps, at the size of its promises:
 * N rows (5000), CONC in flight (256), answers after LATENCY_MS (50). A line of figures a scenario; ends with 1 when
 * one of them is not kept. Names of scenarios as arguments run only these.
 */
import { ensureTools } from '../../src/cli/tools.ts';
import { projectRoot } from '../../src/cli/settings.ts';
import type { TestStack, WorkerProcess } from '../../test/chain/stack.ts';
import type { Size, Sums } from '../../test/chain/engineFaults.ts';

const tools = ensureTools(projectRoot, process.env);
process.env['SECPI_CACHE'] = tools.cache;
process.env['SECPI_PYTHON'] = tools.python;
const { startTestStack } = await import('../../test/chain/stack.ts');
const {
  answeredAtLeast,
  freezeAndWake,
  killAndRestart,
  runDisturbed,
  violations,
  withoutStore,
  withoutTemporal,
} = await import('../../test/chain/engineFaults.ts');

const size: Size = {
  rows: Number(process.env['N'] ?? 5000),
  concurrency: Number(process.env['CONC'] ?? 256),
  latencyMs: Number(process.env['LATENCY_MS'] ?? 50),
  shardRows: 500,
};
const OUTAGE_SECONDS = 20;
/** Kills must come half-way: slow answers keep a run going for long enough. */
const slow: Size = { ...size, latencyMs: 500 };
const half = size.rows / 2;
const CAP_PER_SECOND = 300;
const asked = new Set(process.argv.slice(2));
let failed = false;
let worker: WorkerProcess;
let cleanSeconds = Number.NaN;

type Scenario = (stack: TestStack, name: string) => Promise<{ sums: Sums; more?: object; broken?: string[] }>;
const nothing = async (): Promise<void> => undefined;

const scenarios: Readonly<Record<string, Scenario>> = {
  clean: async (stack, name) => {
    const sums = await runDisturbed(stack, name, size, nothing);
    cleanSeconds = sums.seconds;
    return { sums, more: { rowsPerSecond: Math.round(sums.rows / sums.seconds) } };
  },
  faults: async (stack, name) => {
    const sums = await runDisturbed(stack, name, size, nothing, {
      endpoint: { REFUSE_SHARE: 0.1, FAULT_SHARE: 0.05 },
    });
    const wall = sums.seconds / cleanSeconds;
    const inVain = sums.requests - sums.rows - sums.refused - sums.faults;
    return {
      sums,
      more: { timesCleanWall: Number(wall.toFixed(2)), requestsBeyondFailures: inVain },
      broken: [
        ...(inVain === 0 ? [] : [`${inVain} requests more than rows and failures`]),
        ...(wall > 1.5 ? [`${wall.toFixed(2)} times the clean wall`] : []),
      ],
    };
  },
  'cap by the second': (stack, name) => capped(stack, name, {}),
  'cap by a token bucket': (stack, name) => capped(stack, name, { RATE_BURST: CAP_PER_SECOND }),
  'worker killed': async (stack, name) => {
    let firstRequestSeconds = Number.NaN;
    const sums = await runDisturbed(stack, name, slow, async (endpoint) => {
      const restarted = await killAndRestart(stack, endpoint, worker, half);
      ({ worker, firstRequestSeconds } = restarted);
    });
    const late = firstRequestSeconds > 5 ? [`first request after ${firstRequestSeconds.toFixed(1)} s`] : [];
    return { sums, more: { firstRequestSeconds }, broken: late };
  },
  'store killed for 20 s': async (stack, name) => ({
    sums: await runDisturbed(stack, name, slow, async (endpoint) => {
      await answeredAtLeast(endpoint, half);
      await withoutStore(stack, OUTAGE_SECONDS);
    }),
  }),
  'Temporal killed for 20 s': async (stack, name) => ({
    sums: await runDisturbed(stack, name, slow, async (endpoint) => {
      await answeredAtLeast(endpoint, half);
      await withoutTemporal(stack, OUTAGE_SECONDS);
    }),
  }),
  'second worker joins': async (stack, name) => {
    const joined: WorkerProcess[] = [];
    const sums = await runDisturbed(stack, name, slow, async (endpoint) => {
      await answeredAtLeast(endpoint, half / 2);
      joined.push(await stack.startWorker(['data']));
    });
    for (const second of joined) await second.stop();
    return { sums };
  },
  'worker frozen, then awake': async (stack, name) => {
    const second: WorkerProcess[] = [];
    const sums = await runDisturbed(stack, name, { ...slow, rows: size.rows * 3 }, async (endpoint) => {
      await answeredAtLeast(endpoint, half);
      second.push(await freezeAndWake(stack, endpoint, worker));
    });
    for (const other of second) await other.stop();
    return { sums };
  },
};

async function capped(stack: TestStack, name: string, extra: Readonly<Record<string, number>>) {
  const sums = await runDisturbed(stack, name, size, nothing, {
    endpoint: { RATE_CAP: CAP_PER_SECOND, ...extra },
  });
  // A bucket begins full: what it holds is no rate.
  const used = (sums.rows - (extra['RATE_BURST'] ?? 0)) / sums.seconds / CAP_PER_SECOND;
  const wasted = sums.refused / sums.requests;
  return {
    sums,
    more: { shareOfCap: Number(used.toFixed(3)), wastedShare: Number(wasted.toFixed(3)) },
    broken: [
      ...(used < 0.95 ? [`${(100 * used).toFixed(1)} % of the cap`] : []),
      ...(wasted > 0.05 ? [`${(100 * wasted).toFixed(1)} % refused`] : []),
    ],
  };
}

const stack = await startTestStack();
try {
  await stack.startWorker(['control']);
  worker = await stack.startWorker(['data']);
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (asked.size > 0 && !asked.has(name)) continue;
    const { sums, more = {}, broken = [] } = await scenario(stack, name);
    const all = [...violations(sums), ...broken];
    failed ||= all.length > 0;
    console.log(JSON.stringify({ ...sums, ...more, ...(all.length === 0 ? {} : { broken: all }) }));
  }
} finally {
  await stack.stop();
}
if (failed) process.exitCode = 1;
