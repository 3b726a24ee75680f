/** `secpi grade suite|cweval --samples DIR`: verdicts of programs that lie in a folder, without Temporal or S3. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { evaluateSchema, type EvaluateSettings } from '../../contract/recipe.ts';
import type { VerdictRow } from '../../contract/rows.ts';
import { prepareHost } from '../../activities/sandboxHost.ts';
import type { BenchmarkDriver } from '../../services/benchmarks/driver.ts';
import { gradeFolder, type FolderGrading } from '../../services/benchmarks/gradeFolder.ts';
import { writeUpstreamResults } from '../../services/benchmarks/cweval/index.ts';
import { upstreamScores } from '../../services/metrics/index.ts';
import { extractCode } from '../../services/benchmarks/suite/extract.ts';
// Not by the report's index, which loads what renders pages and the S3 client.
import { buildSummary } from '../../services/report/buildSummary.ts';
import { outcomeOf } from '../../services/report/outcome.ts';
import { renderTable } from '../../services/report/table.ts';
import type { Summary } from '../../contract/summary.ts';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { localHost } from '../localHost.ts';

export interface GradeOptions {
  readonly samples: string;
  readonly json: boolean;
  /** Folder for report.html, report.md and summary.json. */
  readonly out?: string;
  /** Folder for res.json and res_all.json as CWEval's own report reads them. */
  readonly writeResults?: string;
  readonly wallSeconds?: number;
  readonly testSeconds?: number;
  readonly concurrency?: number;
}

const MIB = 1024 ** 2;

/** With `json` standard output holds `{strict, upstream, samples}` and nothing else. */
export async function grade(name: 'suite' | 'cweval' | 'guard', options: GradeOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const interruption = watchInterrupts(() => say('Stopping.'));
  const settings = settingsOf(options);
  const startedAt = new Date().toISOString();
  const { config, environment } = localHost();
  const host = await prepareHost({ paths: config.paths, environment });
  try {
    const driver = await host.driver(name, settings, 'benchmark');
    for (const why of new Set(driver.ungradable.values()))
      say(`not graded here, and counted as unknown: ${why}`);
    const grading = await gradeFolder(driver, resolve(options.samples), {
      limits: { wallMs: settings.limits.wallSeconds * 1000, memoryBytes: settings.limits.memoryMiB * MIB },
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
      signal: interruption.signal,
      onGraded: progressOn(say),
    });
    const summary = summaryOf(driver, grading, { startedAt, folder: options.samples, settings });
    if (options.writeResults !== undefined)
      await writeUpstreamResults(resolve(options.writeResults), grading.verdicts);
    if (options.out !== undefined) {
      const { writeReportFolder } = await import('../reportFolder.ts');
      await writeReportFolder(resolve(options.out), summary, reported(grading));
    }
    process.stdout.write(
      options.json
        ? `${JSON.stringify(machineReadable(summary, grading), null, 2)}\n`
        : `${renderTable(summary)}\n`,
    );
    return exitCodes.ok;
  } finally {
    await host.close();
    interruption.dispose();
  }
}

function settingsOf({ wallSeconds, testSeconds }: GradeOptions): EvaluateSettings {
  return evaluateSchema.parse({
    ...(wallSeconds === undefined ? {} : { limits: { wallSeconds } }),
    ...(testSeconds === undefined ? {} : { cweval: { testSeconds } }),
  });
}

function progressOn(say: (line: string) => void): (done: number, total: number) => void {
  let shown = 0;
  return (done, total) => {
    const percent = Math.floor((done * 20) / total) * 5;
    if (percent === shown) return;
    shown = percent;
    say(`${done} of ${total} samples graded`);
  };
}

function summaryOf(
  { name, measures, hasUpstreamFigure, versions }: BenchmarkDriver,
  { tasks, verdicts, samplesPerTask }: FolderGrading,
  {
    startedAt,
    folder,
    settings,
  }: { readonly startedAt: string; readonly folder: string; readonly settings: EvaluateSettings },
): Summary {
  return buildSummary({
    run: {
      workflowId: '',
      runId: '',
      recipe: `${name} of ${folder}`,
      startedAt,
      finishedAt: new Date().toISOString(),
    },
    labels: { base: 'samples', tuned: '' },
    models: { base: { model: folder, sampling: settings.sampling } },
    benchmarks: [
      {
        name,
        measures,
        tasks,
        samplesPerTask,
        variants: ['none'],
        base: verdicts,
        hasUpstreamFigure,
        references: null,
        versions,
        excluded: ['Tasks without any sample in the folder.'],
      },
    ],
    skipped: [],
    trainedCwes: null,
    training: null,
    usage: { classifier: null, teacher: null },
    stages: [],
    counts: {},
    versions: { cores: String(availableParallelism()) },
    k: 1,
  });
}

function reported({ verdicts, samples, tasks }: FolderGrading) {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  return verdicts.map((verdict, position) => {
    const task = byId.get(verdict.taskId);
    const reply = samples[position]?.reply ?? null;
    const code =
      task === undefined || reply === null ? null : extractCode(reply, task.language, task.entryPoint).code;
    return {
      model: 'base' as const,
      verdict,
      prompt: task?.prompts.none ?? '',
      ...(task === undefined ? {} : { cwes: task.cwes }),
      reply,
      reasoning: null,
      code,
    };
  });
}

/** Shares are between 0 and 1; `n` counts samples. */
function machineReadable(summary: Summary, { verdicts, tasks, samplesPerTask }: FolderGrading) {
  const { func, secure, funcSec } = summary.models.base;
  const strict = {
    func: func.value,
    secure: secure.value,
    funcSec: funcSec.value,
    n: func.n,
    tasks: tasks.length,
    unknown: summary.models.base.unknown,
  };
  const given = new Map(verdicts.map((verdict) => [`${verdict.taskId}\n${verdict.sample}`, verdict]));
  const samples = tasks.flatMap(({ taskId }) =>
    Array.from({ length: samplesPerTask }, (_, index) =>
      sampleLine(taskId, index, given.get(`${taskId}\n${index}`)),
    ),
  );
  const upstream = summary.benchmarks[0]?.upstream?.base ?? upstreamScores(verdicts.map(asCwevalCounts));
  return { strict, upstream, samples };
}

/** Our suite under an unmodified CWEval: a Python program that cannot be imported is in none of its results. */
function asCwevalCounts(verdict: VerdictRow): VerdictRow {
  const { language, extractable, reason, functional, secure } = verdict;
  const vanishes = language === 'python' && (!extractable || reason.startsWith('importFailed'));
  return { ...verdict, upstream: vanishes ? null : { functional, secure } };
}

function sampleLine(task: string, index: number, verdict: VerdictRow | undefined) {
  if (verdict === undefined) {
    const nothing = {
      generated: false,
      extractable: false,
      functional: false,
      secure: false,
      unknown: false,
    };
    return {
      task,
      index,
      verdict: nothing,
      outcome: 'missing',
      reason: 'missing',
      failedTests: [],
      upstream: null,
    };
  }
  const {
    generated,
    extractable,
    functional,
    secure,
    unknown,
    reason,
    failedTests,
    upstream,
    attempts,
    log,
  } = verdict;
  return {
    task,
    index,
    verdict: { generated, extractable, functional, secure, unknown },
    outcome: outcomeOf(verdict),
    reason,
    failedTests,
    upstream,
    attempts,
    log,
  };
}
