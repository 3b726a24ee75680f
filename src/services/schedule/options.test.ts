import { expect, it } from 'vitest';
import { scheduleFileSchema } from '../../contract/schedule.ts';
import { toScheduleOptions, toScheduleUpdate } from './options.ts';

const file = scheduleFileSchema.parse({
  version: 1,
  id: 'nightly',
  workflow: 'reevaluate',
  cron: ['30 2 * * *'],
  timeZone: 'Europe/Berlin',
  overlap: 'bufferOne',
  input: { version: 1, series: 'mine' },
});

it('maps a schedule file to what Temporal takes, with the input as it was written', () => {
  expect(toScheduleOptions(file)).toEqual({
    scheduleId: 'nightly',
    spec: { cronExpressions: ['30 2 * * *'], timezone: 'Europe/Berlin', jitter: 600_000 },
    policies: { overlap: 'BUFFER_ONE', catchupWindow: 43_200_000, pauseOnFailure: true },
    action: {
      type: 'startWorkflow',
      workflowType: 'reevaluate',
      workflowId: 'nightly',
      taskQueue: 'secpi',
      args: [{ version: 1, series: 'mine' }],
      staticSummary: 'reevaluate by the schedule nightly',
    },
  });
});

it('leaves a paused schedule paused', () => {
  const state = { paused: true, note: 'a holiday' };
  expect(toScheduleUpdate(file, state)).toMatchObject({ state, policies: { overlap: 'BUFFER_ONE' } });
});
