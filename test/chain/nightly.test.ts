/**
 * A nightly schedule as a user makes it: by `secpi schedule apply` and by the plain Temporal CLI, triggered night by night
 * against an endpoint whose share of secure answers is known, and that gets worse from the fourth night on.
 */
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarySchema, type Summary } from '../../src/contract/summary.ts';
import { reevaluateResultSchema, type ReevaluateResult } from '../../src/contract/workflows.ts';
import { runCli } from '../../src/cli/testing/cli.ts';
import { buildPrompt } from '../../src/services/benchmarks/suite/prompt.ts';
import { codeOfFile, fenced } from '../../src/services/benchmarks/suite/replyOf.ts';
import { loadSuite } from '../../src/services/benchmarks/suite/suiteTask.ts';
import { startTestReceiver, type TestReceiver } from '../../src/services/notify/testReceiver.ts';
import { evaluationsPrefix } from '../../src/services/store/index.ts';
import { unsafeReply } from '../sandbox/variants.ts';
import { startScriptedModel, type ScriptedModel } from './scriptedModel.ts';
import { projectDir, startTestStack, until, type TestStack } from './stack.ts';

const SERIES = 'my coder';
const SECRET = 'canary-of-the-signature';
const TOKEN = 'canary-of-the-address';
/** Nine tasks: a night takes seconds. */
const LANGUAGE = { name: 'javascript', ending: 'js' } as const;
const SAMPLES = 2;
const SEED = 11;
/** Tasks that get an insecure answer: a few by nature, most of them from the fourth night on. */
const WEAK = 1;
const WEAK_LATER = 6;
/** By night; of the tasks that are answered well otherwise. */
const UNLUCKY = [0, 8, 7, 6, 8, 7];

let stack: TestStack;
let model: ScriptedModel;
let receiver: TestReceiver;
let night = 0;
let tasks = 0;

/** Of a task the suite's own solution, or its insecure twin; every night another task misses one sample besides. */
async function knownAnswers(): Promise<(message: string, seed: number) => string | null> {
  const suite = (await loadSuite(join(projectDir, 'suite'))).filter(
    ({ language }) => language === LANGUAGE.ending,
  );
  tasks = suite.length;
  const known = new Map<string, { index: number; secure: string; insecure: string }>();
  for (const [index, task] of suite.entries()) {
    const { path } = task.files.task;
    const secure = fenced(codeOfFile(path, await readFile(path, 'utf8'), task.language), task.language);
    known.set(buildPrompt(task), { index, secure, insecure: await unsafeReply(task) });
  }
  // Each night has seeds of its own: of the unlucky task the sample that is asked first.
  const unluckySeeds = new Map<number, number>();
  return (message, seed) => {
    const task = known.get(message);
    if (task === undefined) return 'I would rather not.';
    const mayBeUnlucky = task.index === UNLUCKY[night];
    if (mayBeUnlucky && !unluckySeeds.has(night)) unluckySeeds.set(night, seed);
    const isUnlucky = mayBeUnlucky && unluckySeeds.get(night) === seed;
    return task.index < (night < 4 ? WEAK : WEAK_LATER) || isUnlucky ? task.insecure : task.secure;
  };
}

/** Share of samples with a secure answer. */
function knownRate(): number {
  const weak = night < 4 ? WEAK : WEAK_LATER;
  return (SAMPLES * (tasks - weak) - 1) / (SAMPLES * tasks);
}

function inputOf(series: string): Record<string, unknown> {
  return {
    version: 1,
    series,
    endpoint: {
      baseUrl: model.baseUrl,
      model: 'scripted',
      priceUsdPerMillionTokens: { prompt: 1, completion: 2 },
    },
    evaluate: {
      benchmarks: ['suite'],
      languages: [LANGUAGE.name],
      samplesPerTask: SAMPLES,
      sampling: { temperature: 0.5, seed: SEED },
      analysers: [],
    },
    // The third night is compared already.
    baseline: { nights: 2 },
    notify: [
      { urlEnv: 'TEST_HOOK', secretEnv: 'TEST_HOOK_SECRET' },
      { urlEnv: 'TEST_SLACK', format: 'slack', when: 'change' },
      { urlEnv: 'TEST_HOOK_UNSET' },
    ],
  };
}

beforeAll(async () => {
  [stack, model, receiver] = await Promise.all([
    startTestStack(),
    knownAnswers().then(startScriptedModel),
    startTestReceiver(),
  ]);
  await stack.startWorker(['control', 'data', 'sandbox'], {
    TEST_HOOK: `${receiver.url}/hook/${TOKEN}`,
    TEST_HOOK_SECRET: SECRET,
    TEST_SLACK: `${receiver.url}/slack/${TOKEN}`,
  });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await model?.close();
  await receiver?.close();
});

async function secpi(...args: string[]): Promise<unknown> {
  const { code, output } = await runCli(['schedule', ...args, '--json'], stack.env);
  if (code !== 0) throw new Error(`secpi schedule ${args.join(' ')} ended with ${code}:\n${output}`);
  return JSON.parse(output);
}

async function resultOf(workflowId: string): Promise<ReevaluateResult> {
  return reevaluateResultSchema.parse(await stack.client.workflow.getHandle(workflowId).result());
}

async function summaryOf({ report }: ReevaluateResult): Promise<Summary> {
  return summarySchema.parse(JSON.parse(await textOf(report.summary.uri)));
}

async function textOf(uri: string): Promise<string> {
  const found = await stack.store.objects.get(stack.store.objects.keyOf(uri) ?? '');
  return found?.bytes.toString() ?? '';
}

/** By visibility, which hears of an end a little later. */
async function nightsWith(regression: boolean, count: number): Promise<string[]> {
  const query = `WorkflowType = "reevaluate" AND SecpiRecipe = "${SERIES}" AND SecpiRegression = ${regression}`;
  return await until(`${count} nights with SecpiRegression = ${regression}`, async () => {
    const ids: string[] = [];
    for await (const { workflowId } of stack.client.workflow.list({ query })) ids.push(workflowId);
    return ids.length === count ? ids.sort() : null;
  });
}

const recordsOf = async (series: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of stack.store.objects.list(evaluationsPrefix(series))) keys.push(key);
  return keys;
};

const longestString = (json: string): number =>
  Math.max(...(json.match(/"[^"]*"/gu) ?? []).map(({ length }) => length - 2));

describe('a nightly schedule', () => {
  const ids: string[] = [];
  const results: ReevaluateResult[] = [];

  it('is made by `secpi schedule apply`, and changed by applying again', async () => {
    const file = join(stack.dir, 'nightly.json');
    const schedule = {
      version: 1,
      id: 'nightly',
      workflow: 'reevaluate',
      cron: ['30 2 * * *'],
      timeZone: 'Europe/Berlin',
      jitterMinutes: 5,
      input: inputOf(SERIES),
    };
    await writeFile(file, JSON.stringify({ ...schedule, catchUpHours: 1 }));
    expect(await secpi('apply', file)).toMatchObject({ done: 'created', catchUpHours: 1 });
    await writeFile(file, JSON.stringify(schedule));
    expect(await secpi('apply', file)).toMatchObject({
      done: 'updated',
      workflow: 'reevaluate',
      timeZone: 'Europe/Berlin',
      jitterMinutes: 5,
      overlap: 'SKIP',
      catchUpHours: 12,
      pauseOnFailure: true,
      paused: false,
    });
    await writeFile(
      file,
      JSON.stringify({ ...schedule, input: { ...inputOf(SERIES), baseline: { nights: 0 } } }),
    );
    const refused = await runCli(['schedule', 'apply', file], stack.env);
    expect(refused.code).toBe(2);
    expect(refused.output).toContain('input.baseline.nights');
  }, 60_000);

  it('is the same by the plain Temporal command', async () => {
    const file = join(stack.dir, 'input.json');
    await writeFile(file, JSON.stringify(inputOf(SERIES)));
    const policies = '--overlap-policy Skip --catchup-window 12h --pause-on-failure --jitter 5m';
    const what = '--schedule-id plain --workflow-id plain --type reevaluate --task-queue secpi';
    const words = `schedule create ${what} --time-zone Europe/Berlin ${policies}`.split(' ');
    await stack.temporal(...words, '--cron', '30 2 * * *', '--input-file', file);
    const described = async (id: string): Promise<unknown> => {
      const { spec, policies, action } = await stack.client.schedule.getHandle(id).describe();
      const { calendars, timezone, jitter } = spec;
      const { workflowType, taskQueue, args } = action;
      return { calendars, timezone, jitter, policies, workflowType, taskQueue, args };
    };
    expect(await described('plain')).toEqual(await described('nightly'));
  }, 30_000);

  it('asks the endpoint anew each night, and sees no regression in the first three', async () => {
    for (night = 1; night <= 3; night += 1) {
      const { workflowId } = (await secpi('trigger', 'nightly')) as { workflowId: string };
      const result = await resultOf(workflowId);
      ids.push(workflowId);
      results.push(result);
      expect(result.benchmarks[0]?.score).toMatchObject({ value: knownRate(), n: SAMPLES * tasks });
      expect(model.requests).toBe(night * SAMPLES * tasks);
      expect(result.regression).toBe(false);
    }
    expect(results.map(({ state }) => state)).toEqual(['collecting', 'collecting', 'steady']);
    expect(receiver.received.filter(({ path }) => path.startsWith('/hook'))).toEqual([]);
  }, 120_000);

  it('calls out the regression at the fourth and fifth, and tells it once each', async () => {
    for (night = 4; night <= 5; night += 1) {
      // The first message of the fourth night is taken, and its answer is lost.
      if (night === 4) receiver.answerNext('lost');
      await stack.temporal('schedule', 'trigger', '--schedule-id', 'nightly');
      const workflowId = await until('the next night begins', async () => {
        const { info } = await stack.client.schedule.getHandle('nightly').describe();
        return info.recentActions
          .map(({ action }) => action.workflow.workflowId)
          .find((id) => !ids.includes(id));
      });
      ids.push(workflowId);
      const result = await resultOf(workflowId);
      results.push(result);
      expect(result).toMatchObject({ state: 'regression', regression: true, missedNights: 0 });
      expect(result.benchmarks[0]?.score.value).toBe(knownRate());
    }
    night = 5;
  }, 120_000);

  it('is found by the search attribute', async () => {
    expect(await nightsWith(true, 2)).toEqual(ids.slice(3).sort());
    expect(await nightsWith(false, 3)).toEqual(ids.slice(0, 3).sort());
  });

  it('is in the report, with the nights before', async () => {
    const fourth = results[3];
    if (fourth === undefined) throw new Error('there were five nights');
    const { trend } = await summaryOf(fourth);
    const [benchmark] = trend?.benchmarks ?? [];
    expect(benchmark?.nights.map(({ state, isBaseline }) => [state, isBaseline])).toEqual([
      ['collecting', true],
      ['collecting', true],
      ['steady', false],
      ['regression', false],
    ]);
    expect(benchmark?.decision.looks.find(({ name }) => name === 'tonight lower')).toMatchObject({
      nights: 1,
    });
    const [sentence = 'no sentence'] = fourth.sentences;
    expect(await textOf(fourth.report.markdown.uri)).toContain(sentence);
    expect(await textOf(fourth.report.report.uri)).toContain('regression');
  });

  it('is told by a webhook, signed; a lost answer is sent again under the same key', () => {
    const hooks = receiver.received.filter(({ path }) => path === `/hook/${TOKEN}`);
    for (const { headers, body } of hooks) {
      const [time = '', hex = ''] = String(headers['secpi-signature']).replace('t=', '').split(',v1=');
      expect(createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex')).toBe(hex);
      expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(300);
    }
    const slack = receiver.received.filter(({ path }) => path === `/slack/${TOKEN}`);
    // One of the two messages of the fourth night lost its answer.
    expect(hooks.length + slack.length).toBe(2 + 1 + 1);
    const told = hooks.map(({ body, headers }) => ({
      key: headers['idempotency-key'],
      at: (JSON.parse(body) as ReevaluateResult).at,
    }));
    expect([...new Set(told.map(({ at }) => at))]).toEqual(results.slice(3).map(({ at }) => at));
    expect(new Set(told.map(({ key }) => key)).size).toBe(2);
    // Asked to hear of changes only.
    expect(new Set(slack.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(JSON.parse(slack[0]?.body ?? '')).toMatchObject({ text: `${SERIES}: regression` });
  });

  it('says who could not be told, and goes on', () => {
    const unset = results.map(({ notified }) => notified.find(({ urlEnv }) => urlEnv === 'TEST_HOOK_UNSET'));
    expect(unset.map((target) => target?.delivered)).toEqual([undefined, undefined, undefined, false, false]);
    expect(unset[3]?.problem).toMatch(/NOTIFY_REFUSED.*TEST_HOOK_UNSET is not set/u);
  });

  it('counts no night twice, tells none twice and pays none twice when it is reset', async () => {
    const before = [model.requests, receiver.received.length, (await recordsOf(SERIES)).length];
    const fifth = ids[4] ?? '';
    const words = `workflow reset --workflow-id ${fifth} --type FirstWorkflowTask --reason test`.split(' ');
    await stack.temporal(...words);
    expect(await resultOf(fifth)).toMatchObject({ at: results[4]?.at, state: 'regression' });
    expect([model.requests, receiver.received.length, (await recordsOf(SERIES)).length]).toEqual(before);
    expect(before[2]).toBe(5);
  }, 60_000);

  it('keeps addresses and secrets out of the history, and every payload small', async () => {
    for (const id of ids) {
      const history = JSON.stringify(await stack.client.workflow.getHandle(id).fetchHistory());
      const decoded = history.replaceAll(/"[A-Za-z0-9+/=]{24,}"/gu, (text) =>
        Buffer.from(text.slice(1, -1), 'base64').toString(),
      );
      for (const canary of [SECRET, TOKEN])
        for (const text of [history, decoded]) expect(text).not.toContain(canary);
      expect(decoded).toContain(SERIES);
      // Base64: four characters for three bytes.
      expect(longestString(history) * 0.75).toBeLessThan(8 * 1024);
    }
  });

  it('is listed, paused, resumed and deleted', async () => {
    expect(await secpi('pause', 'nightly', '--note', 'a holiday')).toMatchObject({ id: 'nightly' });
    expect(await secpi('show', 'nightly')).toMatchObject({ paused: true, note: 'a holiday', taken: 5 });
    await secpi('resume', 'nightly');
    await secpi('delete', 'plain');
    const listed = await until('the deleted one is gone from the list', async () => {
      const lines = (await secpi('list')) as { id: string }[];
      return lines.some(({ id }) => id === 'plain') ? null : lines;
    });
    expect(listed).toMatchObject([{ id: 'nightly', workflow: 'reevaluate' }]);
  }, 60_000);
});
