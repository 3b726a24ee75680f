/**
 * One sample through the unmodified BaxBench: its own process, results folder, range of ports and way to the engine.
 * However it ends, its processes are killed, its containers and images removed and its ports given back.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatOwner, ifPresent, thisProcess } from '../../processOwner.ts';
import type { BaxbenchTask, Catalogue } from './catalogue.ts';
import { CACHE_LABEL, DRIVER_LABEL, OWNER_LABEL, RUN_LABEL } from './labels.ts';
import type { Engine } from './engine.ts';
import { startEngineProxy, type EngineProxy } from './engineProxy.ts';
import { failedTestsIn } from './failedTests.ts';
import { startHarness, type Harness } from './harness.ts';
import { leasePorts } from './ports.ts';
import { reapLabelled } from './reap.ts';
import { killGroup } from '../../processGroup.ts';
import { makeRunFolder, nameChild, readEnd } from './runFolder.ts';
import { parseTestResults } from './testResults.ts';
import { CODE_FOLDER, LOG_FILE, RESULTS_FILE, sampleFolder } from './upstreamTree.ts';
import type { RunEnd, RunEvidence } from './verdict.ts';
import { writeCode } from './writeCode.ts';

/** How often it is looked whether the app has ended before it answered. */
const LOOK_MS = 2000;
const LOG_BYTES = 16 * 1024 * 1024;
const TAIL_CHARACTERS = 4000;
export interface RunSampleOptions {
  readonly catalogue: Catalogue;
  readonly task: BaxbenchTask;
  readonly files: ReadonlyMap<string, string>;
  readonly python: string;
  readonly engine: Engine;
  readonly driverId: string;
  /** Unique within this machine. */
  readonly runId: string;
  /** The image stays, so that later ones of the same build key share its layers. */
  readonly keepImage: boolean;
  /** Where run folders are made; short. */
  readonly workRoot: string;
  readonly childEnv: Readonly<Record<string, string>>;
  readonly wallMs: number;
  readonly signal: AbortSignal;
}

export type RunOutcome =
  | { readonly ran: true; readonly end: RunEnd; readonly evidence: RunEvidence }
  /** The files of the reply must not or cannot be written. */
  | { readonly ran: false; readonly reason: string };

/** @throws SecpiError SANDBOX_UNAVAILABLE when the engine fails us; the signal's reason. */
export async function runSample(options: RunSampleOptions): Promise<RunOutcome> {
  options.signal.throwIfAborted();
  const folder = await makeRunFolder(options.workRoot);
  try {
    const results = join(folder, 'results');
    const { taskId } = options.task.row;
    const place = {
      model: 'secpi',
      taskId,
      temperature: 0,
      spec: options.catalogue.spec,
      variant: 'none',
      sample: 0,
    } as const;
    const sampleDir = sampleFolder(results, place);
    const outcome = await writeCode(join(sampleDir, CODE_FOLDER), options.files);
    if (!outcome.written) return { ran: false, reason: outcome.reason };
    return { ran: true, ...(await runInFolder(options, folder, results, sampleDir)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runInFolder(
  options: RunSampleOptions,
  folder: string,
  results: string,
  sampleDir: string,
): Promise<{ end: RunEnd; evidence: RunEvidence }> {
  const { engine, task, runId } = options;
  const labels = {
    [OWNER_LABEL]: formatOwner(thisProcess()),
    [DRIVER_LABEL]: options.driverId,
    [RUN_LABEL]: runId,
  };
  const ports = await leasePorts();
  try {
    const socketPath = join(folder, 'engine.sock');
    const proxy = await startEngineProxy({
      engine: engine.address,
      socketPath,
      containerLabels: labels,
      imageLabels: options.keepImage ? { ...labels, [CACHE_LABEL]: task.buildKey } : labels,
    });
    try {
      const child = startHarness({ ...options, folder, results, socketPath, firstPort: ports.firstPort });
      try {
        if (child.process.pid !== undefined) await nameChild(folder, child.process.pid);
        const ended = await follow(child, proxy, options);
        const end = ended ?? (await readResults(sampleDir, child.process.exitCode));
        return { end, evidence: await collect(end, child, proxy, options, sampleDir) };
      } finally {
        killGroup(child.process.pid);
        await child.exited;
      }
    } finally {
      await proxy.close();
      await reapLabelled(engine, `${RUN_LABEL}=${runId}`);
    }
  } finally {
    await ports.release();
  }
}

/** Null when it ended by itself. */
async function follow(
  child: Harness,
  proxy: EngineProxy,
  { engine, wallMs, signal }: RunSampleOptions,
): Promise<RunEnd | null> {
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const wall = delay(wallMs, { kind: 'timeout', wallMs } as const, { signal: until });
  const ended = child.exited.then(() => null);
  try {
    return await Promise.race([ended, wall, appExit(proxy, engine, until)]);
  } finally {
    stop.abort();
    // The loser of the race ends with the stop; its rejection is expected.
    await wall.catch(() => null);
    signal.throwIfAborted();
  }
}

/**
 * BaxBench waits a minute, in each test, for an app that has ended already. Its first container tells: once it has
 * ended without having been reached, the functional test is lost, and a fresh container of the same image does the same.
 */
async function appExit(proxy: EngineProxy, engine: Engine, signal: AbortSignal): Promise<RunEnd> {
  for (;;) {
    await delay(LOOK_MS, undefined, { signal });
    const [first] = proxy.created;
    if (first === undefined || proxy.reached.has(first)) continue;
    // Only a short cut hangs on it: an engine that is too busy to answer is asked again.
    const exitCode = await engine.exitCodeOf(first).catch(() => null);
    if (exitCode !== null && !proxy.reached.has(first)) return { kind: 'appExited', exitCode };
  }
}

async function readResults(sampleDir: string, exitCode: number | null): Promise<RunEnd> {
  const text = await ifPresent(readFile(join(sampleDir, RESULTS_FILE), 'utf8'));
  return { kind: 'finished', results: text === null ? null : parseTestResults(text), exitCode };
}

async function collect(
  end: RunEnd,
  child: Harness,
  proxy: EngineProxy,
  { engine, task }: RunSampleOptions,
  sampleDir: string,
): Promise<RunEvidence> {
  const log = await readEnd(join(sampleDir, LOG_FILE), LOG_BYTES);
  const [first] = proxy.created;
  const said = end.kind === 'appExited' && first !== undefined ? await engine.logsOf(first, 40) : '';
  // Of a run that wrote its results the progress bar is all that was printed.
  const printed = end.kind === 'finished' && end.results !== null ? '' : child.printed();
  return {
    log: [log.slice(-TAIL_CHARACTERS), printed, said].filter((text) => text.trim() !== '').join('\n'),
    failedTests: end.kind === 'finished' && end.results !== null ? failedTestsIn(log, task, end.results) : [],
    refusals: proxy.refusals,
    containersMade: proxy.created.length,
  };
}
