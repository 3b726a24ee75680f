import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { SecpiError } from './errors.ts';
import { parseInput } from './parse.ts';
import { parseScheduleFile } from './schedule.ts';
import { reevaluateInputSchema } from './workflows.ts';

const recipe = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL(`../../recipes/${name}`, import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;

function refusalOf(input: unknown): SecpiError {
  try {
    parseScheduleFile(input);
  } catch (error) {
    if (error instanceof SecpiError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a schedule file', () => {
  it('is shipped valid, with every policy written out', async () => {
    const nightly = await recipe('nightly.json');
    expect(parseScheduleFile(nightly)).toEqual(nightly);
  });

  it('has the documented defaults', async () => {
    const { id, version, workflow, cron, input } = await recipe('nightly.json');
    expect(parseScheduleFile({ id, version, workflow, cron, input })).toMatchObject({
      timeZone: 'UTC',
      jitterMinutes: 10,
      overlap: 'skip',
      catchUpHours: 12,
      pauseOnFailure: true,
    });
  });

  it.each([
    ['cron', ['2 o’clock'], 'cron[0]'],
    ['cron', [], 'cron'],
    ['cron', ['TZ=UTC 30 2 * * *'], 'cron[0]'],
    ['timeZone', 'Mars/Olympus', 'timeZone'],
    ['timeZone', '+02:00', 'timeZone'],
    ['overlap', 'wait', 'overlap'],
    ['workflow', 'fineTune', 'workflow'],
    ['id', 'my nightly', 'id'],
    ['input', { version: 1, series: 'x', evaluate: {} }, 'input.model'],
    ['input', 'text', 'input'],
    ['jitterMinutes', -1, 'jitterMinutes'],
    ['jitter', 5, 'jitter'],
  ])('refuses %s = %j and names the field', async (name, value, field) => {
    const error = refusalOf({ ...(await recipe('nightly.json')), [name]: value });
    expect(error.code).toBe('RECIPE_INVALID');
    expect(error.field).toBe(field);
  });

  it.each(['@daily', '@every 6h', '0 30 2 * * 1-5 2030', '*/5 * * * MON'])(
    'takes the times %s',
    async (cron) => {
      expect(parseScheduleFile({ ...(await recipe('nightly.json')), cron: [cron] }).cron).toEqual([cron]);
    },
  );

  it('refuses a key in the input without echoing it', async () => {
    const nightly = await recipe('nightly.json');
    const key = 'sk-proj-0123456789abcdefghijklmnop';
    const input = { ...(nightly['input'] as object), series: key };
    const error = refusalOf({ ...nightly, input });
    expect(error.code).toBe('SECRET_IN_INPUT');
    expect(error.message).not.toContain(key);
  });

  it('checks a recipe inside as the workflow does, provenance too', async () => {
    const { version } = await recipe('nightly.json');
    const input = { ...(await recipe('quick.json')), provenance: { 'finetune.epoch': 'a guess' } };
    const error = refusalOf({ version, id: 'weekly', workflow: 'secpi', cron: ['@weekly'], input });
    expect(error.field).toBe('input.provenance');
  });
});

it('the example of the workflow reevaluate is valid', async () => {
  expect(parseInput(reevaluateInputSchema, await recipe('stages/reevaluate.json'))).toMatchObject({
    series: 'embedded',
    baseline: { nights: 3 },
    monitor: { falseAlarmRate: 0.05, horizonNights: 365, windowNights: 7 },
    notify: [],
  });
});
