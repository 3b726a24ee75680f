/**
 * What fine-tuning promises under preemption, as scenarios that a test runs small and `npm run faults:train` runs long:
 * the real workflow, real workers, hosts that vanish at chosen moments; the unbroken run is the measure.
 */
import { z } from 'zod';
import type { FineTuneResult } from '../../src/contract/workflows.ts';
import type { TestStack } from './stack.ts';
import { startHost, type TrainHost } from './trainHost.ts';
import { strike, type Kill, type Struck } from './trainKills.ts';

/** What followed a kill. Seconds of the clock. */
export interface Recovery extends Struck {
  readonly resumedFromStep: number;
  /** Finished steps that were trained again. */
  readonly stepsRepeated: number;
  /** From the kill until the server counts the attempt as lost. */
  readonly detectionSeconds: number;
  /** From the kill until the workflow has scheduled the next attempt. */
  readonly rescheduledSeconds: number;
  /** From the next attempt's start on its host to its first finished step. */
  readonly firstStepSeconds: number;
  /** Parts of it: libraries; data and model; the step itself. */
  readonly importSeconds: number;
  readonly loadSeconds: number;
  readonly stepSeconds: number;
}

const lossCurveSchema = z.array(z.object({ step: z.int(), loss: z.number() }));

export interface TrainedRun {
  readonly result: FineTuneResult;
  readonly lossCurve: z.infer<typeof lossCurveSchema>;
}

export interface KilledRun extends TrainedRun {
  readonly recoveries: readonly Recovery[];
  /** Losses of all steps on all hosts, those that were repeated or lost too. */
  readonly told: readonly { readonly step: number; readonly loss: number | null }[];
}

export async function trainedRun(stack: TestStack, workflowId: string): Promise<TrainedRun> {
  const result = (await stack.client.workflow.getHandle(workflowId).result()) as FineTuneResult;
  const { facts } = await stack.store.artifacts.readByUri(result.artifact.uri);
  return { result, lossCurve: lossCurveSchema.parse(facts['lossCurve']) };
}

export interface KillOptions {
  readonly id: string;
  readonly traces: string;
  readonly finetune: Readonly<Record<string, unknown>>;
  readonly gpuClass?: string;
  /** Of the workers. */
  readonly env?: Readonly<Record<string, string>>;
  readonly kills: readonly Kill[];
  readonly random: () => number;
  readonly onProgress?: (line: string) => void;
}

/** Trains while one host after the other is struck; each next one has a disk of its own and is there in time. */
export async function trainThroughKills(
  stack: TestStack,
  { id, traces, finetune, gpuClass, env = {}, kills, random, onProgress = () => undefined }: KillOptions,
): Promise<KilledRun> {
  const hosts: TrainHost[] = [];
  const nextHost = async (): Promise<TrainHost> => {
    const host = await startHost(stack, { name: `${id}-${hosts.length + 1}`, gpuClass, env });
    hosts.push(host);
    return host;
  };
  try {
    let host = await nextHost();
    await stack.startByCli('fineTune', id, { version: 1, traces, finetune, reuse: 'never' });
    const struck: Struck[] = [];
    for (const kill of kills) {
      const { resumedFromStep } = await host.events.first({ name: 'started' });
      onProgress(
        `${host.name} trains from step ${resumedFromStep ?? 0}; ${kill.signal} ${kill.moment} from step ${kill.fromStep}`,
      );
      const [next, blow] = await Promise.all([nextHost(), strike(host, kill, random)]);
      onProgress(`${host.name} struck after step ${blow.lastStep}`);
      struck.push(blow);
      host = next;
    }
    const run = await trainedRun(stack, id);
    const attempts = await attemptsOf(stack, id);
    const recoveries = struck.map((blow, index): Recovery => recoveryOf(blow, index, attempts, hosts));
    const told = hosts.flatMap(({ events }) => events.of('step')).map(({ step, loss }) => ({ step, loss }));
    await hosts.at(-1)?.worker.stop();
    return { ...run, recoveries, told };
  } finally {
    for (const host of hosts) await host.close();
  }
}

interface AttemptTimes {
  readonly scheduledMs: number;
  readonly startedMs: number;
  /** Completed, failed or timed out. */
  readonly closedMs: number;
}

/** The attempts of a training as the server saw them, in order. */
export async function attemptsOf(stack: TestStack, workflowId: string): Promise<AttemptTimes[]> {
  const { events } = await stack.client.workflow.getHandle(workflowId).fetchHistory();
  const attempts = new Map<string, { scheduledMs: number; startedMs: number; closedMs: number }>();
  for (const event of events ?? []) {
    const atMs = Number(event.eventTime?.seconds ?? 0) * 1000 + (event.eventTime?.nanos ?? 0) / 1e6;
    const { activityTaskScheduledEventAttributes: scheduled } = event;
    if (scheduled?.activityType?.name === 'trainModel')
      attempts.set(String(event.eventId), { scheduledMs: atMs, startedMs: Number.NaN, closedMs: Number.NaN });
    const begun = attempts.get(String(event.activityTaskStartedEventAttributes?.scheduledEventId));
    if (begun !== undefined) begun.startedMs = atMs;
    const closing =
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskCompletedEventAttributes;
    const closed = attempts.get(String(closing?.scheduledEventId));
    if (closed !== undefined) closed.closedMs = atMs;
  }
  return [...attempts.values()];
}

function recoveryOf(
  blow: Struck,
  index: number,
  attempts: readonly AttemptTimes[],
  hosts: readonly TrainHost[],
): Recovery {
  const [lost, next, host] = [attempts[index], attempts[index + 1], hosts[index + 1]];
  const started = host?.events.of('started')[0];
  const first = host?.events.of('step')[0];
  if (lost === undefined || next === undefined || started === undefined || first === undefined)
    throw new Error(`no attempt trained after kill ${index + 1} (${blow.signal} ${blow.moment})`);
  const resumedFromStep = started.resumedFromStep ?? 0;
  return {
    ...blow,
    resumedFromStep,
    stepsRepeated: blow.lastStep - resumedFromStep,
    detectionSeconds: (lost.closedMs - blow.atMs) / 1000,
    rescheduledSeconds: (next.scheduledMs - blow.atMs) / 1000,
    firstStepSeconds: (first.seenMs - next.startedMs) / 1000,
    importSeconds: started.importSeconds,
    loadSeconds: started.loadSeconds,
    stepSeconds: first.seconds,
  };
}

/** The heartbeat timeout of the workflow. */
const DETECTION_SECONDS = 15;
/** Between a timer of the server and the event that it writes. */
const SERVER_SECONDS = 1;
/** In intervals: steps of a tiny model are over sooner than an upload on a busy machine. */
const SLOWEST_UPLOAD = 2;

/** What was not kept; empty when the killed run is the unbroken one, told late. */
export function violations(unbroken: TrainedRun, killed: KilledRun, interval: number): string[] {
  const lossAt = new Map(unbroken.lossCurve.map(({ step, loss }) => [step, loss]));
  const differing = [...killed.lossCurve, ...killed.told].filter(
    ({ step, loss }) => loss !== lossAt.get(step),
  );
  const steps = new Set(killed.lossCurve.map(({ step }) => step));
  return [
    ...(killed.result.artifact.contentSha256 === unbroken.result.artifact.contentSha256
      ? []
      : ['the weights differ']),
    ...differing.map(({ step, loss }) => `loss ${loss} at step ${step}, unbroken ${lossAt.get(step)}`),
    ...(steps.size === lossAt.size ? [] : [`${steps.size} steps of ${lossAt.size}`]),
    ...killed.recoveries.flatMap((recovery) => violationsOf(recovery, interval)),
  ];
}

function violationsOf(recovery: Recovery, interval: number): string[] {
  const { signal, moment, lastStep, written, stepsRepeated, detectionSeconds, trainersLeft } = recovery;
  const name = `${signal} ${moment} after step ${lastStep}`;
  // Beside the interval: what was trained while the next checkpoint was on its way to the store.
  const next = written.find((step) => step > recovery.resumedFromStep) ?? lastStep;
  const allowed = signal === 'SIGTERM' ? 0 : interval + Math.min(lastStep - next, SLOWEST_UPLOAD * interval);
  return [
    ...(stepsRepeated <= allowed ? [] : [`${name}: ${stepsRepeated} steps repeated, ${allowed} allowed`]),
    ...(stepsRepeated >= 0 ? [] : [`${name}: steps are missing`]),
    ...(detectionSeconds <= DETECTION_SECONDS + SERVER_SECONDS
      ? []
      : [`${name}: found after ${detectionSeconds.toFixed(1)} s`]),
    ...(trainersLeft === 0 ? [] : [`${name}: ${trainersLeft} trainers left`]),
  ];
}

export function describeRecovery(recovery: Recovery): string {
  const { firstStepSeconds, importSeconds, loadSeconds, stepSeconds } = recovery;
  return [
    `${recovery.signal} ${recovery.moment} after step ${recovery.lastStep}`,
    `resumed from ${recovery.resumedFromStep}`,
    `${recovery.stepsRepeated} steps repeated`,
    `found after ${recovery.detectionSeconds.toFixed(1)} s`,
    `next attempt scheduled after ${recovery.rescheduledSeconds.toFixed(1)} s`,
    `its first step after ${firstStepSeconds.toFixed(1)} s = libraries ${importSeconds.toFixed(1)} + data and model ${loadSeconds.toFixed(1)} + the step ${stepSeconds.toFixed(1)} + ${apartFromLoad(recovery).toFixed(1)}`,
  ].join(', ');
}

/** The figures of all kills in one line. Seconds are the largest. */
export function sumUp({ recoveries, result }: KilledRun): Readonly<Record<string, number | string | null>> {
  const by = (signal: Struck['signal']): readonly Recovery[] =>
    recoveries.filter((recovery) => recovery.signal === signal);
  const most = (of: readonly Recovery[], value: (recovery: Recovery) => number): number | null =>
    of.length === 0 ? null : Number(Math.max(...of.map(value)).toFixed(1));
  const [losses, notices] = [by('SIGKILL'), by('SIGTERM')];
  return {
    sigkills: losses.length,
    sigterms: notices.length,
    stepsRepeatedAfterSigkill: losses.map(({ stepsRepeated }) => stepsRepeated).join(' '),
    stepsRepeatedAfterSigterm: notices.map(({ stepsRepeated }) => stepsRepeated).join(' '),
    detectionSeconds: most(losses, ({ detectionSeconds }) => detectionSeconds),
    rescheduledSeconds: most(losses, ({ rescheduledSeconds }) => rescheduledSeconds),
    handOverSeconds: most(notices, ({ rescheduledSeconds }) => rescheduledSeconds),
    firstStepSeconds: most(recoveries, ({ firstStepSeconds }) => firstStepSeconds),
    // From the beginning the held-out loss is measured first.
    firstStepSecondsApartFromLoad: most(
      recoveries.filter(({ resumedFromStep }) => resumedFromStep > 0),
      apartFromLoad,
    ),
    preemptions: result.preemptions,
    weights: result.artifact.contentSha256.slice(0, 16),
  };
}

/** What the pipeline adds before the first step: data and checkpoint down, processes started. */
function apartFromLoad({ firstStepSeconds, importSeconds, loadSeconds, stepSeconds }: Recovery): number {
  return firstStepSeconds - importSeconds - loadSeconds - stepSeconds;
}
