/** The progress query's answer as lines of text. Pure. */
import type { Progress, StageProgress } from '../contract/workflows.ts';

const MARKS: Record<StageProgress['state'], string> = {
  waiting: '·',
  running: '▶',
  paused: '‖',
  done: '✓',
  reused: '✓',
  failed: '✗',
  cancelled: '✗',
};

export function stageLine(stage: StageProgress): string {
  const total = stage.total === null ? '' : `/${stage.total}`;
  const rows = stage.state === 'waiting' ? '' : `${stage.done}${total} ${stage.unit}`;
  const time = stage.seconds === null ? '' : formatSeconds(stage.seconds);
  const told = stage.state === 'running' || stage.state === 'done' || stage.note.startsWith(stage.state);
  const state = told ? '' : stage.state;
  const rest = [state, stage.note].filter((part) => part !== '').join(' · ');
  return `${MARKS[stage.state]} ${stage.name.padEnd(15)} ${rows.padStart(16)} ${formatUsd(stage.costUsd).padStart(9)} ${time.padStart(8)}  ${rest}`.trimEnd();
}

const BAR_CELLS = 20;

/** On a terminal: how far a running stage is, and the line of every other as it stands. */
export function barLine(stage: StageProgress): string {
  const line = stageLine(stage);
  if (stage.state !== 'running' || stage.total === null || stage.total === 0) return line;
  const share = Math.min(1, stage.done / stage.total);
  const full = Math.floor(share * BAR_CELLS);
  const percent = `${Math.floor(100 * share)} %`;
  return `${line}\n  ${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${percent.padStart(5)}`;
}

export function barLines(progress: Progress): string[] {
  return progress.stages.flatMap((stage) => barLine(stage).split('\n'));
}

/** Where there is no terminal, a line is worth printing when a stage changes state, or has moved by a tenth. */
export function isWorthALine(before: StageProgress | undefined, after: StageProgress): boolean {
  if (before === undefined) return after.state !== 'waiting';
  if (before.state !== after.state) return true;
  if (after.total === null || after.total === 0) return false;
  const tenth = (stage: StageProgress): number => Math.floor((10 * stage.done) / (after.total ?? 1));
  return tenth(before) !== tenth(after);
}

export function formatUsd(usd: number): string {
  return `$${usd === 0 || usd >= 0.01 ? usd.toFixed(2) : usd.toPrecision(2)}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
