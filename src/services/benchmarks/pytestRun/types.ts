/** What a caller asks of pytest in one sandbox, and what it gets back. */
import type { ReadOnlyBind, Sandbox, SandboxLimits, Toolchain } from '../../sandbox/index.ts';
import type { ExpectedTests } from '../grading/index.ts';
import type { WarmHosts } from '../warm/index.ts';

export interface PytestRequest {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  /** The interpreter, as the sandbox sees it; the toolchain's where not given. From 3.9 on. */
  readonly python?: string;
  /**
   * Where a run is tried first; one that does not end as it should is done again in a sandbox of its own, which decides.
   * Not used for a writable folder, to collect only, or with a limit of CPU time.
   */
  readonly warm?: WarmHosts;
  /** Modules that are imported before the test file, where they can be. */
  readonly preload?: readonly string[];
  /** Folders inside, put before the interpreter's own on `sys.path`. */
  readonly pythonPath?: readonly string[];
  /** Host folder bound at /work. */
  readonly folder: string;
  /** For a folder of `createWorkDir` whose tests write beside themselves. Default: read-only. */
  readonly folderWritable?: boolean;
  /** Where the tests start, as the sandbox sees it. Default /work. */
  readonly cwd?: string;
  /** Relative to /work. */
  readonly testFile: string;
  /**
   * The test file is removed from `folder` once it is collected, so that a program under test cannot read there what is
   * expected of it. For a folder made for this run. Default: it stays.
   */
  readonly hideTests?: boolean;
  /** pytest's `-k`; '' selects all. */
  readonly keyword: string;
  /** Wall time of one test with its fixtures; null: the wall limit of all together is the only one. */
  readonly perTestSeconds: number | null;
  /** Ids that must be collected and reported, by mark; null: only collect. */
  readonly expected: ExpectedTests | null;
  /**
   * The tests import the sample: it shares their process. Tests that must fail are then run among the others, and
   * values that equal everything fail an assertion.
   */
  readonly inProcess: boolean;
  readonly readOnly?: readonly ReadOnlyBind[];
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
}

/** CWEval's rule for a test with both marks: it counts as functional. */
export type TestMark = 'functionality' | 'security' | 'unmarked';

/** `skipped` is also a test that is expected to fail; `notRun` one of which no report came. */
export type PytestOutcome = 'passed' | 'failed' | 'timeout' | 'skipped' | 'notRun';

export interface PytestTest {
  /** Within the file, e.g. `test_read`, or `test_read[2]` for the third case of a parametrised one. */
  readonly id: string;
  readonly mark: TestMark;
  /** Over setup, call and teardown. */
  readonly outcome: PytestOutcome;
  /** Of the call alone: what CWEval's own harness counts. */
  readonly callPassed: boolean;
}

export type PytestEnd =
  /** pytest ran every test and said so. */
  | { readonly kind: 'finished' }
  /** The file could not be imported, or holds other tests than expected. */
  | { readonly kind: 'notCollected'; readonly detail: string }
  /** The wall limit of all tests together. */
  | { readonly kind: 'timeout'; readonly detail: string }
  /** The tests' process ended, or was ended, before its last word. */
  | { readonly kind: 'died'; readonly detail: string }
  /** Before any code of the sample could have run. */
  | { readonly kind: 'harness'; readonly detail: string };

export interface PytestResult {
  readonly end: PytestEnd;
  /** In the order collected; functional ones first. */
  readonly tests: readonly PytestTest[];
  /** The sample meddled with its tests: one that must fail passed, or one was reported twice. Nothing counts then. */
  readonly forged: boolean;
  /** The end of what pytest printed, at most 4,000 characters, control characters spelled out. */
  readonly log: string;
}
