/** Nights for tests. */
import { randomUUID } from 'node:crypto';
import { clopperPearson } from '../metrics/index.ts';
import type { Night } from './decide.ts';

export const DAY_MS = 86_400_000;
const FIRST_MS = Date.parse('2026-01-01T02:00:00.000Z');

/** `successes` by task, of 10 samples each; the night is so many days after the first. */
export function testNight(day: number, successes: readonly number[], over: Partial<Night> = {}): Night {
  const at = new Date(FIRST_MS + day * DAY_MS).toISOString();
  const sum = successes.reduce((all, each) => all + each, 0);
  const n = successes.length * 10;
  return {
    version: 1,
    series: 'nightly',
    benchmark: 'suite',
    at,
    scheduledAt: at,
    workflowId: 'nightly',
    firstRunId: randomUUID(),
    model: 'hosted',
    evaluation: `s3://test/artifacts/evaluation/${day}`,
    samplesSha256: String(day).padStart(64, '0'),
    identity: 'a'.repeat(64),
    metric: 'funcSec',
    tasks: successes.map((funcSec, task) => ({ taskId: `task-${task}`, samples: 10, func: 10, funcSec })),
    unknown: 0,
    score: { value: sum / n, ...clopperPearson(sum, n, 0.95), n },
    ...over,
  };
}
