/**
 * A row's own tests as an oracle, in the sandbox: pytest for Python and for scripts of Bash and Perl, `node:test` for
 * JavaScript and TypeScript. Design: DESIGN.md in the folder above.
 */
import { sha256Hex } from '../../store/index.ts';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { stageHarness } from '../../benchmarks/stageHarness.ts';
import { DEFAULT_LIMITS, spellOutControls, type SandboxLimits } from '../../sandbox/index.ts';
import type { Candidate, TestVerdict } from '../candidates.ts';
import { PLANNERS, type Planned, type TestMode } from './plan.ts';
import { runTests, type RowTestHost } from './process.ts';
import { controlDefectOf, defectOf, type TestRun } from './verdict.ts';

export type { RowTestHost } from './process.ts';

export type RowTestOutcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly detail: string }
  /** The row has no tests, or they hold none, or none for this language. */
  | { readonly kind: 'noTests' }
  /** The tests cannot be run, whatever the code. */
  | { readonly kind: 'unknown'; readonly detail: string };

export interface RowTests {
  /** Throws SANDBOX_UNAVAILABLE when a sandbox fails to start, and the signal's reason when aborted. */
  judge(
    candidate: Pick<Candidate, 'language' | 'code' | 'tests'>,
    signal?: AbortSignal,
  ): Promise<RowTestOutcome>;
}

/** Wall time of all tests of a row; doubled once, so that a loaded machine does not turn sound code into unsound. */
const WALL_MS = 20_000;
const WALL_FACTORS = [1, 2];

const HARNESS = join(import.meta.dirname, 'harness');

/** The samples of a row share what its tests were found to be. */
export async function openRowTests(
  host: RowTestHost,
  limits: Partial<SandboxLimits> = {},
): Promise<RowTests> {
  const harnessDir = await stageHarness(host.toolchain, 'row-harness', HARNESS);
  const plans = new Map<string, Promise<Planned>>();
  const base = { ...DEFAULT_LIMITS, wallMs: WALL_MS, ...limits };

  const judge: RowTests['judge'] = async ({ language, code, tests }, signal) => {
    const planner = PLANNERS[language];
    if (tests === null || planner === undefined) return { kind: 'noTests' };
    const key = createHash('sha256').update(`${language}\n${tests}`).digest('hex');
    let planning = plans.get(key);
    if (planning === undefined) {
      planning = planner({ host, harnessDir, tests, limits: widened(base, 1), signal });
      plans.set(key, planning);
      planning.catch(() => plans.delete(key)); // the next one asks anew
    }
    const planned = await planning;
    if (planned.kind === 'noTests') return planned;
    if (planned.kind === 'unusable') return { kind: 'unknown', detail: planned.detail };
    const { plan } = planned;
    const attempt = async (mode: TestMode): Promise<TestRun> => {
      const request = await plan.process(code, mode);
      let run: TestRun | null = null;
      for (const factor of WALL_FACTORS) {
        const wide = { ...request, limits: { ...request.limits, ...wallLimits(base.wallMs * factor) } };
        run = await runTests(host, harnessDir, wide, signal);
        if (run.end.outcome !== 'timeout') break;
      }
      if (run === null) throw new Error('no attempt was made');
      return run;
    };
    const defect =
      defectOf(await attempt('run'), plan.expected) ??
      controlDefectOf(await attempt('control'), plan.expected);
    return defect === null ? { kind: 'passed' } : { kind: 'failed', detail: defect };
  };
  return { judge };
}

const DETAIL_CHARACTERS = 500;

/** Details are shown to people, and code under test had its say in them. */
export function verdictRow({ index, sample, code }: Candidate, outcome: RowTestOutcome): TestVerdict {
  const detail = 'detail' in outcome ? spellOutControls(outcome.detail).slice(0, DETAIL_CHARACTERS) : '';
  return { index, sample, codeSha256: sha256Hex(code), kind: outcome.kind, detail };
}

function widened(limits: SandboxLimits, factor: number): SandboxLimits {
  return { ...limits, ...wallLimits(limits.wallMs * factor) };
}

/** The CPU limit lies beyond the wall limit, so that an endless loop ends as the timeout that it is. */
function wallLimits(wallMs: number): Pick<SandboxLimits, 'wallMs' | 'cpuSeconds'> {
  return { wallMs, cpuSeconds: Math.ceil(wallMs / 1000) + 5 };
}
