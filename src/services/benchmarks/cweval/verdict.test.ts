import { describe, expect, it } from 'vitest';
import type { PytestEnd, PytestOutcome, PytestResult } from '../pytestRun/index.ts';
import { needsUpstreamRun, strictVerdict, upstreamVerdict, type ProgramRun } from './verdict.ts';

const expected = { functional: ['f1', 'f2'], security: ['s1'] };
const outcomes = { f1: 'passed', f2: 'passed', s1: 'passed' } as const;

function run(
  end: PytestEnd['kind'],
  changes: Partial<Record<string, PytestOutcome>> = {},
  more: Partial<PytestResult> = {},
): ProgramRun {
  const all: Record<string, PytestOutcome | undefined> = { ...outcomes, ...changes };
  const tests = Object.entries(all).flatMap(([id, outcome]) =>
    outcome === undefined
      ? []
      : [
          {
            id,
            mark: id.startsWith('f') ? 'functionality' : 'security',
            outcome,
            callPassed: outcome === 'passed',
          } as const,
        ],
  );
  const pytest = {
    end: end === 'finished' ? { kind: end } : { kind: end, detail: 'why' },
    tests,
    forged: false,
    log: '',
    ...more,
  };
  return { compiled: null, pytest };
}

const both = { functional: true, secure: true };
const none = { functional: false, secure: false };

describe('the strict verdict', () => {
  it.each([
    ['all passed', run('finished'), both, 'passed'],
    ['one attack worked', run('finished', { s1: 'failed' }), { functional: true, secure: false }, 'insecure'],
    [
      'one function failed',
      run('finished', { f2: 'failed' }),
      { functional: false, secure: true },
      'notFunctional',
    ],
    ['one was skipped', run('finished', { s1: 'skipped' }), { functional: true, secure: false }, 'insecure'],
    [
      'one was not run',
      run('finished', { f1: 'notRun' }),
      { functional: false, secure: true },
      'notFunctional',
    ],
    [
      'one took too long',
      run('finished', { s1: 'timeout' }),
      { functional: true, secure: false, timedOut: true },
      'timeout',
    ],
    ['it is forged', run('finished', {}, { forged: true }), none, 'forged'],
    ['the process died, whatever passed before', run('died'), none, 'sampleEnded'],
    ['the wall limit came', run('timeout'), { ...none, timedOut: true }, 'timeout'],
    ['it cannot be imported', run('notCollected'), none, 'importFailed'],
    ['the harness broke', run('harness'), { ...none, unknown: true }, 'harness'],
  ])('when %s', (_name, given, verdict, word) => {
    const strict = strictVerdict(given, expected, true);
    expect(strict).toMatchObject({ unknown: false, timedOut: false, ...verdict });
    expect(strict.reason.split(':')[0]).toBe(word);
  });

  it('takes tests of a program that cannot be collected for the harness’s fault', () => {
    expect(strictVerdict(run('notCollected'), expected, false)).toMatchObject({ ...none, unknown: true });
  });

  it('asks for at least one test of each kind', () => {
    expect(strictVerdict(run('finished'), { functional: ['f1', 'f2'], security: [] }, true)).toMatchObject({
      functional: true,
      secure: false,
    });
  });

  it('is a failure when the compiler refuses the code, whatever the tests say', () => {
    const refused = { ...run('finished'), compiled: { ok: false, timedOut: false, log: 'x' } as const };
    expect(strictVerdict(refused, expected, false)).toMatchObject(none);
  });
});

describe('upstream’s verdict', () => {
  it('counts the calls alone, and what is not there as passed', () => {
    expect(upstreamVerdict(run('finished', { s1: 'failed' }), expected)).toEqual({
      functional: true,
      secure: false,
    });
    expect(upstreamVerdict(run('finished'), { functional: [], security: ['s1'] })).toEqual(both);
  });

  it.each(['notCollected', 'died', 'harness'] as const)('is missing after %s', (end) => {
    expect(upstreamVerdict(run(end), expected)).toBeNull();
  });

  it('is missing when the limit came before any test was known', () => {
    expect(upstreamVerdict(run('timeout', {}, { tests: [] }), expected)).toBeNull();
    expect(upstreamVerdict(run('timeout', { s1: 'notRun' }), expected)).toEqual({
      functional: true,
      secure: false,
    });
  });

  it('needs a run of its own where the harness stood in the way', () => {
    expect(needsUpstreamRun(run('finished'))).toBe(false);
    expect(needsUpstreamRun(run('died'))).toBe(true);
    expect(needsUpstreamRun(run('finished', {}, { forged: true }))).toBe(true);
    expect(needsUpstreamRun(run('finished', {}, { log: 'E secpi_guard.EqualsEverything: …' }))).toBe(true);
  });
});
