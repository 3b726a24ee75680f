/** What becomes of a trainer whose attempt is lost, frozen or killed: the next attempt of its host adopts it. */
import { existsSync } from 'node:fs';
import { appendFile, cp, readFile, stat, utimes } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../chain/stack.ts';
import {
  expectedWeights,
  fingerprintOf,
  isRunning,
  openLab,
  startAttempt,
  startAttemptProcess,
  trainersUnder,
  weightsOf,
  type AttemptPlan,
  type Lab,
} from './lab.ts';
import { liveTrainer } from '../../src/services/train/earlierTrainer.ts';
import { readRecord, trainingHome, writeRecord } from '../../src/services/train/trainingHome.ts';
import { watchUnattended } from '../../src/services/train/watchUnattended.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab?.stop());

const MAX_STEPS = 60;
/** A step of 40 ms: 2.4 s in all, a checkpoint each 400 ms. */
async function planOf(
  name: string,
  options: Omit<Parameters<Lab['plan']>[0], 'fingerprint' | 'epoch'> = {},
): Promise<AttemptPlan> {
  const fingerprint = fingerprintOf(name);
  const settings = { maxSteps: MAX_STEPS, ...options.settings };
  const epoch = await lab.claim(fingerprint);
  return lab.plan({ fake: { STEP_MS: 40 }, ...options, fingerprint, epoch, settings });
}

const homeOf = (name: string, host?: string) => trainingHome(lab.trainingsDir(host), fingerprintOf(name));
const trainerOf = async (name: string, host?: string): Promise<number> =>
  await until(`the trainer of ${name}`, async () => (await trainersUnder(homeOf(name, host).dir))[0], 20_000);
const stepsOf = async (name: string): Promise<number[]> =>
  (await lab.store.trainings.list(fingerprintOf(name))).map(({ step }) => step);
const aCheckpointOf = async (name: string): Promise<void> =>
  void (await until(`a checkpoint of ${name}`, async () => (await stepsOf(name)).length > 0, 20_000));
const stepsTold = async (name: string): Promise<number[]> =>
  (await readFile(homeOf(name).eventsFile, 'utf8'))
    .split('\n')
    .flatMap((line) => (line.includes('"event": "step"') ? [Number(/"step": (\d+)/.exec(line)?.[1])] : []));

describe('a trainer without its attempt', () => {
  it('is adopted by another process after SIGKILL of the first: no step is done twice', async () => {
    const first = startAttemptProcess(await planOf('killed worker'));
    await aCheckpointOf('killed worker');
    const pid = await trainerOf('killed worker');
    await first.kill();
    expect(await isRunning(pid)).toBe(true);

    const second = await startAttempt(await planOf('killed worker'));
    const end = await second.end;
    expect(await weightsOf(end)).toBe(expectedWeights(MAX_STEPS));
    expect(await stepsTold('killed worker')).toEqual(
      Array.from({ length: MAX_STEPS }, (_, index) => index + 1),
    );
    expect(second.resumes[0]?.adopted).toBe(true);
    expect(second.resumes[0]?.resumedFromStep).toBeGreaterThan(0);
    expect(await stepsOf('killed worker')).toContain(MAX_STEPS);
  });

  it('is adopted in the same process after a loss', async () => {
    const first = await startAttempt(await planOf('lost'));
    await aCheckpointOf('lost');
    const pid = await trainerOf('lost');
    first.abort('lost');
    await expect(first.end).rejects.toThrow('aborted: lost');
    expect(await isRunning(pid)).toBe(true);
    expect(await liveTrainer(lab.trainingsDir(), fingerprintOf('lost'))).toEqual({ gpu: null });

    const second = await startAttempt(await planOf('lost'));
    const end = await second.end;
    expect(await weightsOf(end)).toBe(expectedWeights(MAX_STEPS));
    expect(second.resumes[0]?.adopted).toBe(true);
    if (end.status === 'trained') await end.outcome.release();
    expect(existsSync(homeOf('lost').dir)).toBe(false);
    expect(await liveTrainer(lab.trainingsDir(), fingerprintOf('lost'))).toBeNull();
  });

  it('ends meanwhile, and the next attempt has what it made', async () => {
    const first = await startAttempt(await planOf('finished alone', { settings: { maxSteps: 12 } }));
    const pid = await trainerOf('finished alone');
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    await until('its end', async () => !(await isRunning(pid)), 20_000);
    const second = await startAttempt(await planOf('finished alone', { settings: { maxSteps: 12 } }));
    expect(await weightsOf(await second.end)).toBe(expectedWeights(12));
    expect(second.resumes[0]).toMatchObject({ adopted: true, resumedFromStep: 12 });
    expect(await stepsOf('finished alone')).toEqual([12]);
  });

  it('fails meanwhile, and the next attempt says so', async () => {
    const fake = { STEP_MS: 40, DIVERGE_AT: 15 };
    const first = await startAttempt(await planOf('failed alone', { fake }));
    const pid = await trainerOf('failed alone');
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    await until('its end', async () => !(await isRunning(pid)), 20_000);
    const second = await startAttempt(await planOf('failed alone', { fake }));
    await expect(second.end).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    expect(await stepsOf('failed alone')).toEqual([10]);
  });

  it('is ended, not adopted, when another configuration is wanted', async () => {
    const first = await startAttempt(await planOf('other', { settings: { microBatchRows: 4 } }));
    await aCheckpointOf('other');
    const pid = await trainerOf('other');
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    const second = await startAttempt(await planOf('other', { settings: { microBatchRows: 2 } }));
    const end = await second.end;
    expect(await isRunning(pid)).toBe(false);
    expect(second.resumes[0]?.adopted).toBe(false);
    expect(second.resumes[0]?.resumedFromStep).toBeGreaterThanOrEqual(10);
    expect(end).toMatchObject({ outcome: { started: { microBatchRows: 2 } } });
    expect(await weightsOf(end)).toBe(expectedWeights(MAX_STEPS));
  });

  it('is ended when its worker was killed before it could write it down', async () => {
    const first = await startAttempt(await planOf('unwritten'));
    await aCheckpointOf('unwritten');
    const pid = await trainerOf('unwritten');
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    const home = homeOf('unwritten');
    const record = await readRecord(home);
    if (record !== null) await writeRecord(home, { ...record, owner: null });
    const second = await startAttempt(await planOf('unwritten'));
    await until('a new beginning', async () => second.resumes.length > 0, 20_000);
    expect(await isRunning(pid)).toBe(false);
    expect(second.resumes[0]?.adopted).toBe(false);
    expect(await weightsOf(await second.end)).toBe(expectedWeights(MAX_STEPS));
  });

  it('is killed with its worker: what it saved last on this disk is used and goes to the store', async () => {
    // Too large a checkpoint to be in the store when both die: the newest lies on the disk alone.
    const options = { fake: { STEP_MS: 40 }, settings: { checkpointEverySteps: 5 } };
    const first = startAttemptProcess(await planOf('both killed', options));
    await aCheckpointOf('both killed');
    first.child.kill('SIGSTOP');
    const pid = await trainerOf('both killed');
    const stored = Math.max(...(await stepsOf('both killed')));
    const local = await until(
      'a checkpoint that only the disk has',
      async () => (await stepsTold('both killed')).findLast((step) => step % 5 === 0 && step > stored + 5),
      20_000,
    );
    process.kill(pid, 'SIGKILL');
    await first.kill();
    await until(
      'both ends',
      async () => (await trainersUnder(homeOf('both killed').dir)).length === 0,
      10_000,
    );
    const second = await startAttempt(await planOf('both killed', options));
    expect(await weightsOf(await second.end)).toBe(expectedWeights(MAX_STEPS));
    expect(second.resumes[0]?.adopted).toBe(false);
    expect(second.resumes[0]?.resumedFromStep).toBeGreaterThanOrEqual(local - 5);
    expect(second.resumes[0]?.resumedFromStep).toBeGreaterThan(stored);
    expect(second.notes).toContain(`checkpoint ${second.resumes[0]?.resumedFromStep} is safe`);
  });
});

describe('the store gone', () => {
  it('costs neither the trainer nor its steps, and keeps no attempt from adopting it', async () => {
    const first = await startAttempt(await planOf('outage'));
    await aCheckpointOf('outage');
    const pid = await trainerOf('outage');
    const next = [await planOf('outage'), await planOf('outage')] as const;
    await lab.server.kill();
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    const second = await startAttempt(next[0]);
    await until('the adoption without a store', async () => second.resumes.length > 0, 20_000);
    expect(second.resumes[0]?.adopted).toBe(true);
    second.abort('lost');
    await expect(second.end).rejects.toThrow('lost');
    expect(await isRunning(pid)).toBe(true);
    await lab.server.restart();
    const third = await startAttempt(next[1]);
    await until('the adoption', async () => third.resumes.length > 0, 20_000);
    await lab.server.kill();
    await until('its end', async () => !(await isRunning(pid)), 30_000);
    await until(
      'it waits',
      async () => third.notes.some((note) => note.includes('waits for the store')),
      30_000,
    );
    await lab.server.restart();
    expect(await weightsOf(await third.end)).toBe(expectedWeights(MAX_STEPS));
    expect(third.resumes[0]?.adopted).toBe(true);
    expect(await stepsOf('outage')).toContain(MAX_STEPS);
  }, 120_000);
});

describe('a frozen attempt', () => {
  it('that wakes on the same host leaves the trainer to its successor', async () => {
    const first = startAttemptProcess(await planOf('zombie here'));
    await aCheckpointOf('zombie here');
    const pid = await trainerOf('zombie here');
    first.child.kill('SIGSTOP');
    const second = await startAttempt(await planOf('zombie here'));
    await until('the adoption', async () => second.resumes.length > 0, 20_000);
    first.child.kill('SIGCONT');
    expect(await first.ended()).toBe('error HEAD_FENCED');
    expect(await isRunning(pid)).toBe(true);
    const end = await second.end;
    expect(await weightsOf(end)).toBe(expectedWeights(MAX_STEPS));
    expect(second.resumes[0]?.adopted).toBe(true);
  });

  it('that wakes after another host went on is refused, and its trainer ends', async () => {
    const first = startAttemptProcess(await planOf('zombie elsewhere', { host: 'one' }));
    await aCheckpointOf('zombie elsewhere');
    const pid = await trainerOf('zombie elsewhere', 'one');
    first.child.kill('SIGSTOP');
    process.kill(pid, 'SIGSTOP');
    const second = await startAttempt(await planOf('zombie elsewhere', { host: 'two' }));
    const end = await second.end;
    expect(await weightsOf(end)).toBe(expectedWeights(MAX_STEPS));
    expect(second.resumes[0]).toMatchObject({ adopted: false });
    const listed = await lab.store.trainings.list(fingerprintOf('zombie elsewhere'));
    first.child.kill('SIGCONT');
    process.kill(pid, 'SIGCONT');
    expect(await first.ended()).toBe('error HEAD_FENCED');
    expect(await isRunning(pid)).toBe(false);
    expect(existsSync(homeOf('zombie elsewhere', 'one').dir)).toBe(false);
    expect(await lab.store.trainings.list(fingerprintOf('zombie elsewhere'))).toEqual(listed);
  });
});

describe('an unattended trainer', () => {
  /** A trainer whose worker is gone. */
  async function orphan(name: string): Promise<number> {
    const first = await startAttempt(await planOf(name, { settings: { maxSteps: 10_000 } }));
    await aCheckpointOf(name);
    const pid = await trainerOf(name);
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    return pid;
  }

  it('is ended by the watcher when its training is over, and only then', async () => {
    const [kept, fenced] = [await orphan('kept'), await orphan('fenced')];
    const fencedFrom = (await readRecord(homeOf('fenced')))?.epoch;
    const log: string[] = [];
    let looks = 0;
    const watch = watchUnattended({
      trainingsDir: lab.trainingsDir(),
      isOver: async (fingerprint, epoch) => {
        looks += 1;
        if (looks === 1) throw new Error('the store is gone');
        return fingerprint === fingerprintOf('fenced') && epoch === fencedFrom;
      },
      everyMs: 200,
      log: (message) => log.push(message),
    });
    await until('its end', async () => !(await isRunning(fenced)), 10_000);
    await until('its home is gone', async () => !existsSync(homeOf('fenced').dir), 10_000);
    await watch.stop();
    expect(await isRunning(kept)).toBe(true);
    expect(existsSync(homeOf('kept').dir)).toBe(true);
    expect(log[0]).toMatch(/could not be looked at: the store is gone/);
    expect(log[1]).toMatch(new RegExp(`ends the trainer of .* \\(process ${fenced}\\)`));
    process.kill(kept, 'SIGKILL');
  });

  it('is ended by the watcher though its worker died before it could write it down', async () => {
    const pid = await orphan('unwritten and over');
    const home = homeOf('unwritten and over');
    const record = await readRecord(home);
    if (record !== null) await writeRecord(home, { ...record, owner: null });
    const watch = watchUnattended({
      trainingsDir: lab.trainingsDir(),
      isOver: async (fingerprint) => fingerprint === fingerprintOf('unwritten and over'),
      everyMs: 200,
      log: () => undefined,
    });
    await until('its home is gone', async () => !existsSync(home.dir), 10_000);
    await watch.stop();
    expect(await isRunning(pid)).toBe(false);
  });

  it('has its lease renewed from its adoption on', async () => {
    const pid = await orphan('leased');
    const { leaseFile, configFile } = homeOf('leased');
    expect(JSON.parse(await readFile(configFile, 'utf8'))).toMatchObject({ leaseFile, leaseSeconds: 1800 });
    const old = new Date(Date.now() - 60_000);
    await utimes(leaseFile, old, old);
    const second = await startAttempt(await planOf('leased', { settings: { maxSteps: 10_000 } }));
    const renewedAfter = async (ms: number): Promise<boolean> => (await stat(leaseFile)).mtimeMs > ms;
    await until('it is renewed', async () => await renewedAfter(old.getTime() + 1000), 10_000);
    const adoptedMs = (await stat(leaseFile)).mtimeMs;
    await until('and again', async () => await renewedAfter(adoptedMs), 10_000);
    second.abort('cancelled');
    await expect(second.end).rejects.toThrow('cancelled');
    expect(await isRunning(pid)).toBe(false);
  });

  it('whose home was torn by a crash of the machine is not trusted', async () => {
    const first = await startAttempt(await planOf('torn'));
    await aCheckpointOf('torn');
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
    const home = homeOf('torn');
    process.kill(await trainerOf('torn'), 'SIGKILL');
    await appendFile(home.eventsFile, '{"event": "checkpoint", "step": 99}\n');
    await cp(home.eventsFile, `${home.dir}/trainer.json.half`);
    const second = await startAttempt(await planOf('torn'));
    expect(await weightsOf(await second.end)).toBe(expectedWeights(MAX_STEPS));
    expect(second.resumes[0]).toMatchObject({ adopted: false });
  });
});
