/**
 * A benchmark as this machine can drive it. What models are asked is plain data (BenchmarkTaskRow) and travels through
 * the store; running a sample needs the benchmark's files and toolchain, and happens here.
 */
import type { BenchmarkName } from '../../contract/benchmarkNames.ts';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import type { Judgement } from './grading/index.ts';

export interface GradeLimits {
  /** Wall time of the tests of one sample together. */
  readonly wallMs: number;
  /** All processes of one sample together. */
  readonly memoryBytes: number;
}

export interface DriverRequest {
  readonly taskId: string;
  /** The answer as the model gave it, without reasoning that came apart from it. */
  readonly reply: string;
  readonly limits: GradeLimits;
  readonly signal: AbortSignal;
}

export interface DriverGrade extends Judgement {
  /** Code was found in the reply. */
  readonly extractable: boolean;
  readonly foundCwes: readonly string[];
  /** What the benchmark's own harness says; null where the sample vanishes from its results, or it has no own method. */
  readonly upstream: { readonly functional: boolean; readonly secure: boolean } | null;
  /** What was taken out of the reply and run; null when nothing could be. */
  readonly code: string | null;
  /** The end of the log, control characters spelled out. */
  readonly log: string;
}

export interface BenchmarkDriver {
  readonly name: BenchmarkName;
  /** "function": no security tests; `secure` of its grades is false and means nothing. */
  readonly measures: 'functionAndSecurity' | 'function';
  /** Sorted by task id; `index` counts from 0. */
  readonly tasks: readonly BenchmarkTaskRow[];
  /**
   * Everything besides task, sample and limits that can change a verdict: commit of the harness, version of the way of
   * grading, tools and their versions. Part of each verdict's key.
   */
  readonly versions: Readonly<Record<string, string>>;
  /** Has a figure of its own way of counting (CWEval). */
  readonly hasUpstreamFigure: boolean;
  /** Tasks that cannot be graded here, and why, e.g. "c++: g++ is missing". */
  readonly ungradable: ReadonlyMap<string, string>;
  /** Sandboxes at a time that keep this machine busy without making its tests time out. */
  readonly concurrency: number;
  /** The benchmark's own solution, as a reply. Null where it ships none. */
  reference(taskId: string): Promise<string | null>;
  /**
   * Everything that is the sample's doing is in the grade.
   * @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason when aborted.
   */
  grade(request: DriverRequest): Promise<DriverGrade>;
  /** Ends what it started on this machine (zygotes, containers). */
  close(): Promise<void>;
}
