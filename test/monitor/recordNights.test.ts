/** Records of nights over a real store. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reevaluateInputSchema, type ReevaluateInput } from '../../src/contract/workflows.ts';
import { openSeries, recordNights, type Night } from '../../src/services/monitor/index.ts';
import { DAY_MS, testNight } from '../../src/services/monitor/testNights.ts';
import type { ObjectStore } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';

let server: TestServer;
let objects: ObjectStore;
let input: ReevaluateInput;
let series = 0;

beforeAll(async () => {
  server = await startServer();
  ({ objects } = await server.openStore());
});
afterAll(async () => await server?.stop());
/** A series of its own for each test. */
beforeEach(() => {
  series += 1;
  input = reevaluateInputSchema.parse({
    version: 1,
    series: `night/ly ${series}`,
    model: { uri: 'registry:coder' },
    evaluate: {},
    baseline: { nights: 3 },
  });
});

async function keys(): Promise<string[]> {
  const found = await Array.fromAsync(objects.list(`evaluations/night~2Fly~20${series}/`));
  return found.map(({ key }) => key);
}

const usual = [3, 5, 5, 6, 7, 4, 5, 5, 6, 4];
const bad = [0, 1, 1, 0, 2, 0, 1, 1, 0, 1];
const night = (day: number, counts = usual, over: Partial<Night> = {}): Night =>
  testNight(day, counts, { series: input.series, ...over });

describe('recordNights', () => {
  it('keeps a record a night, finds the fourth lower, and gives the report its trend', async () => {
    for (const day of [0, 1, 2]) await recordNights(objects, input, [night(day)]);
    const { night: result, trend } = await recordNights(objects, input, [night(3, bad)]);
    expect(await keys()).toHaveLength(4);
    const last = (await keys())[3];
    expect(last).toBe(`evaluations/night~2Fly~20${series}/2026-01-04T02~3A00~3A00.000Z-suite.json`);
    expect(result).toMatchObject({ state: 'regression', regression: true, changed: true, missedNights: 0 });
    expect(result.benchmarks[0]).toMatchObject({
      name: 'suite',
      state: 'regression',
      record: objects.uriOf(last ?? ''),
      score: { value: 0.07, n: 100 },
    });
    const [suite] = trend.benchmarks;
    expect(suite?.nights.map(({ state, isBaseline }) => [state, isBaseline])).toEqual([
      ['collecting', true],
      ['collecting', true],
      ['collecting', true],
      ['regression', false],
    ]);
    expect(suite?.power.join(' ')).toMatch(
      /at most 5\.0 %.* A drop of 10\.0 points is found the same night with probability less than 0\.01; one that stays is found in 7 nights together with 0\.\d\d\. The smallest drop .* is \d+\.\d points\./,
    );
  });

  it('counts a run once, whether its activity is tried again or it is reset with other samples', async () => {
    for (const day of [0, 1, 2]) await recordNights(objects, input, [night(day)]);
    const first = night(3, bad);
    const once = await recordNights(objects, input, [first]);
    const again = await recordNights(objects, input, [first]);
    expect(again).toEqual(once);
    const reset = { ...night(3, usual), firstRunId: first.firstRunId, evaluation: 's3://test/other' };
    const after = await recordNights(objects, input, [reset]);
    expect(after.night).toEqual(once.night);
    expect(await keys()).toHaveLength(4);
  });

  it('keeps one record of a run whose attempts overlap, and one of each of many runs at once', async () => {
    const one = night(0);
    const attempts = await Promise.all(
      Array.from({ length: 8 }, async () => await recordNights(objects, input, [one])),
    );
    expect(await keys()).toHaveLength(1);
    expect(new Set(attempts.map(({ night: result }) => JSON.stringify(result))).size).toBe(1);
    await Promise.all(Array.from({ length: 8 }, async () => await recordNights(objects, input, [night(1)])));
    const stored = await openSeries(objects, input.series).read();
    expect(stored).toHaveLength(9);
    expect(new Set(stored.map(({ record }) => record.at)).size).toBe(9);
  });

  it('goes on where it was lost between two benchmarks', async () => {
    const suite = night(0);
    await recordNights(objects, input, [suite]);
    const cweval = { ...suite, benchmark: 'cweval' as const };
    const { night: result } = await recordNights(objects, input, [suite, cweval]);
    expect(result.benchmarks.map(({ name }) => name)).toEqual(['suite', 'cweval']);
    expect(await keys()).toHaveLength(2);
  });

  it('keeps two runs apart that begin in the same millisecond', async () => {
    const [one, other] = [night(0), night(0)];
    await recordNights(objects, input, [one]);
    const second = await recordNights(objects, input, [other]);
    expect(await keys()).toHaveLength(2);
    expect(Date.parse(second.night.at) - Date.parse(one.at)).toBe(1);
    expect((await recordNights(objects, input, [other])).night.at).toBe(second.night.at);
    expect(await keys()).toHaveLength(2);
  });

  it('takes the worst benchmark for the night, and a drop of one is not hidden by another', async () => {
    const pair = (day: number, second: readonly number[]): [Night, Night] => {
      const first = night(day);
      return [first, { ...night(day, [...second]), benchmark: 'cweval', firstRunId: first.firstRunId }];
    };
    for (const day of [0, 1, 2]) await recordNights(objects, input, pair(day, usual));
    const { night: result } = await recordNights(objects, input, pair(3, bad));
    expect(result.state).toBe('regression');
    expect(result.benchmarks.map(({ state }) => state)).toEqual(['steady', 'regression']);
    expect(result.sentences[0]).toMatch(/^cweval: /);
  });

  it('says what was missed', async () => {
    await recordNights(objects, input, [night(0)]);
    const { night: result, trend } = await recordNights(objects, input, [night(3)]);
    expect(result.missedNights).toBe(2);
    expect(result.sentences.at(-1)).toBe('2 nights were missed before this one.');
    expect(trend.benchmarks[0]?.gaps).toMatchObject([{ nights: 2 }]);
    const next = await recordNights(objects, input, [night(4)]);
    expect(next.night.missedNights).toBe(0);
    expect(next.trend.benchmarks[0]?.gaps).toHaveLength(1);
  });

  it('is not swayed by nights that began later', async () => {
    for (const day of [0, 1, 2, 5]) await recordNights(objects, input, [night(day)]);
    const { trend } = await recordNights(objects, input, [night(4)]);
    expect(trend.benchmarks[0]?.nights).toHaveLength(4);
    expect(Date.parse(trend.benchmarks[0]?.nights[3]?.at ?? '') % DAY_MS).toBe(2 * 3_600_000);
  });

  it('refuses what is no record, by its uri', async () => {
    const key = `evaluations/night~2Fly~20${series}/2026-01-01T02~3A00~3A00.000Z-suite.json`;
    await objects.putIfAbsent(key, Buffer.from('{"version": 2}'));
    await expect(openSeries(objects, input.series).read()).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
      problem: expect.stringContaining(objects.uriOf(key)),
    });
  });
});
