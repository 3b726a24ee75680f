/**
 * The progress of a workflow in one place: the `progress` query, the UI's current details, search attributes, and
 * the signal that carries a child's lines up to its parent.
 */
import {
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
  log,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { renderDetails, secondsLeft, type Pace, type ShownLine } from './details.ts';
import { noFigures } from './trainingFigures.ts';
import type { DistillSettings } from '../contract/recipe.ts';
import {
  progressQueryName,
  progressSignalName,
  type Progress,
  type ProgressSignal,
  type SearchAttributeName,
  type StageProgress,
  type StageState,
  type WorkflowType,
} from '../contract/workflows.ts';

export const progressQuery = defineQuery<Progress>(progressQueryName);
export const progressSignal = defineSignal<[ProgressSignal]>(progressSignalName);

/** A child's lines reach its parent at most this often, apart from changes of state. */
const PARENT_SIGNAL_EVERY_MS = 60_000;
const PARENT_SIGNAL_AT_LEAST_EVERY_MS = 30 * 60_000;

export interface AttributeValues {
  readonly SecpiStage?: string;
  readonly SecpiRecipe?: string;
  readonly SecpiModel?: string;
  readonly SecpiDataset?: string;
  readonly SecpiReused?: boolean;
  readonly SecpiCostUsd?: number;
  readonly SecpiFuncSec?: number;
  readonly SecpiCweFamily?: readonly string[];
  readonly SecpiRegression?: boolean;
}

/** What the traces are restricted to; nothing where they are about any weakness. */
export function familiesOf({ onlyCwes }: Pick<DistillSettings, 'onlyCwes'>): AttributeValues {
  return onlyCwes.length === 0 ? {} : { SecpiCweFamily: onlyCwes };
}

/** What is told of a stage; figures of a training are merged into those known. */
export type StagePatch = ProgressSignal['progress'];

export interface Board {
  update(stage: string, patch: StagePatch): void;
  begin(stage: string, note: string): void;
  /** While `why` is given a running stage is shown as paused, whatever its activities tell; null ends it. */
  hold(stage: string, why: string | null): void;
  /** Set once the namespace's attributes are known; before that, and where it lacks them, nothing is upserted. */
  allowAttributes(names: readonly string[]): void;
  attributes(values: AttributeValues): void;
  stage(name: string): StageProgress;
  costUsd(): number;
}

export interface BoardOptions {
  /** Sees what activities and children tell before it is shown, and may add to it. */
  readonly onTold?: (stage: string, patch: StagePatch) => StagePatch;
  /** How the parent workflow calls a stage, where it calls it otherwise. */
  readonly nameInParent?: (stage: string) => string;
  /** All stages as the one line that the parent knows this workflow by. */
  readonly asOne?: (stages: readonly StageProgress[]) => StageProgress;
}

interface Line extends StageProgress {
  readonly startedAtMs: number | null;
  readonly held: string | null;
  /** From the first amount that was told: what was there before says nothing of the pace. */
  readonly pace: Pace | null;
}

/** As people see it. */
function shown({ startedAtMs: _, held, pace: __, ...line }: Line): StageProgress {
  return held !== null && line.state === 'running' ? { ...line, state: 'paused', note: held } : line;
}

function timed(line: Line): ShownLine {
  const seen = shown(line);
  const told = line.training?.secondsLeft ?? null;
  const left = told ?? secondsLeft(line.pace, seen, Date.now());
  return { ...seen, secondsLeft: seen.state === 'running' ? left : null };
}

export function createBoard(
  workflow: WorkflowType,
  stages: readonly { name: string; unit: StageProgress['unit'] }[],
  { onTold = (_, patch) => patch, nameInParent = (stage) => stage, asOne }: BoardOptions = {},
): Board {
  const lines = new Map<string, Line>(stages.map(({ name, unit }) => [name, emptyLine(name, unit)]));
  const pending: AttributeValues[] = [];
  const signalledAtMs = new Map<string, number>();
  let allowed: ReadonlySet<string> | null = null;

  const line = (name: string): Line => lines.get(name) ?? emptyLine(name, 'rows');

  const update = (stage: string, { training, ...patch }: StagePatch & Partial<Pick<Line, 'held'>>): void => {
    const before = line(stage);
    const started = before.startedAtMs ?? (patch.state === 'running' ? Date.now() : null);
    const ended = patch.state !== undefined && isEnd(patch.state) && started !== null;
    const seconds = patch.seconds ?? (ended ? (Date.now() - started) / 1000 : before.seconds);
    const begun = before.pace === null && (patch.done ?? 0) > 0;
    const after: Line = {
      ...before,
      ...patch,
      pace: begun ? { atMs: Date.now(), done: patch.done ?? 0 } : before.pace,
      startedAtMs: started,
      seconds,
      ...(training === undefined ? {} : { training: { ...(before.training ?? noFigures), ...training } }),
    };
    lines.set(stage, after);
    const all = [...lines.values()].map(shown);
    setCurrentDetails(renderDetails(workflow, [...lines.values()].map(timed)));
    const told = asOne?.(all) ?? { ...shown(after), name: nameInParent(stage) };
    tellParent(told, shown(before), shown(after), signalledAtMs);
  };

  setHandler(progressQuery, () => toProgress(workflow, [...lines.values()].map(shown)));
  setHandler(progressSignal, (signal: unknown) => {
    // Anybody may send it; what is thrown here would hold the workflow up for ever.
    if (isProgress(signal)) update(signal.stage, onTold(signal.stage, signal.progress));
  });

  return {
    update,
    hold: (stage, why) => update(stage, { held: why }),
    begin: (stage, note) => {
      update(stage, { state: 'running', note });
      send({ SecpiStage: stage }, allowed, pending);
    },
    allowAttributes: (names) => {
      allowed = new Set(names);
      for (const values of pending.splice(0)) send(values, allowed, pending);
    },
    attributes: (values) => send(values, allowed, pending),
    stage: (name) => shown(line(name)),
    costUsd: () => totalCost([...lines.values()]),
  };
}

function isProgress(signal: unknown): signal is ProgressSignal {
  if (typeof signal !== 'object' || signal === null) return false;
  const { stage, progress } = signal as Partial<ProgressSignal>;
  return typeof stage === 'string' && typeof progress === 'object' && progress !== null;
}

function emptyLine(name: string, unit: StageProgress['unit']): Line {
  return {
    name,
    unit,
    state: 'waiting',
    done: 0,
    total: null,
    costUsd: 0,
    note: '',
    artifact: null,
    seconds: null,
    startedAtMs: null,
    held: null,
    pace: null,
  };
}

function isEnd(state: StageState): boolean {
  return state === 'done' || state === 'reused' || state === 'failed' || state === 'cancelled';
}

/** `told`: the line of the parent; `before` and `after` are of the stage that changed. */
function tellParent(
  told: StageProgress,
  before: StageProgress,
  after: StageProgress,
  signalledAtMs: Map<string, number>,
): void {
  const { parent, startTime } = workflowInfo();
  if (parent === undefined) return;
  const now = Date.now();
  // Rarer with age, so that the parent of a stage of days keeps a short history.
  const everyMs = Math.min(
    PARENT_SIGNAL_AT_LEAST_EVERY_MS,
    Math.max(PARENT_SIGNAL_EVERY_MS, (now - startTime.getTime()) / 50),
  );
  const due = now - (signalledAtMs.get(told.name) ?? 0) >= everyMs;
  if (before.state === after.state && !due) return;
  signalledAtMs.set(told.name, now);
  const { name, ...progress } = told;
  getExternalWorkflowHandle(parent.workflowId, parent.runId)
    .signal(progressSignal, { stage: name, progress })
    .catch((error: unknown) =>
      log.warn('the parent did not take a progress signal; it may have ended', { error: String(error) }),
    );
}

function send(
  values: AttributeValues,
  allowed: ReadonlySet<string> | null,
  pending: AttributeValues[],
): void {
  if (allowed === null) {
    pending.push(values);
    return;
  }
  const pairs = toPairs(values).filter(({ key }) => allowed.has(key.name));
  if (pairs.length > 0) upsertSearchAttributes(pairs);
}

function toPairs(values: AttributeValues): SearchAttributePair[] {
  return Object.entries(values).flatMap(([name, value]: [string, unknown]): SearchAttributePair[] => {
    if (typeof value === 'number')
      return [{ key: defineSearchAttributeKey(name as SearchAttributeName, 'DOUBLE'), value }];
    if (typeof value === 'boolean')
      return [{ key: defineSearchAttributeKey(name as SearchAttributeName, 'BOOL'), value }];
    if (typeof value === 'string')
      return [{ key: defineSearchAttributeKey(name as SearchAttributeName, 'KEYWORD'), value }];
    if (Array.isArray(value))
      return [
        {
          key: defineSearchAttributeKey(name as SearchAttributeName, 'KEYWORD_LIST'),
          value: value.map(String),
        },
      ];
    return [];
  });
}

function totalCost(lines: readonly StageProgress[]): number {
  return lines.reduce((sum, { costUsd }) => sum + costUsd, 0);
}

function toProgress(workflow: WorkflowType, lines: readonly StageProgress[]): Progress {
  const running = lines.filter(({ state }) => state === 'running' || state === 'paused');
  const current = running.at(-1) ?? lines.findLast(({ state }) => state !== 'waiting') ?? lines[0];
  const steps = lines.find(({ unit }) => unit === 'steps');
  return {
    workflow,
    state: overallState(lines),
    stage: running.length > 0 ? running.map(({ name }) => name).join(' + ') : (current?.name ?? ''),
    rows: { done: current?.done ?? 0, total: current?.total ?? null },
    costUsd: totalCost(lines),
    step: steps === undefined || steps.state === 'waiting' ? null : steps.done,
    stages: [...lines],
  };
}

function overallState(lines: readonly StageProgress[]): StageState {
  for (const state of ['failed', 'cancelled', 'paused', 'running'] as const) {
    if (lines.some((line) => line.state === state)) return state;
  }
  if (lines.every(({ state }) => state === 'waiting')) return 'waiting';
  return lines.every(({ state }) => state === 'done' || state === 'reused') ? 'done' : 'running';
}
