/** The report of an evaluation that was started alone: one model, nothing to compare it with. */
import type { EvaluationReportInput } from '../contract/activities.ts';
import type { ReportFiles } from '../contract/workflows.ts';
import { buildSummary, renderHtml } from '../services/report/index.ts';
import type { Deps } from './deps.ts';
import { readEvaluations } from './evaluatedBenchmarks.ts';
import { publishReport } from './reportFiles.ts';
import type { ActivityRun } from './runActivity.ts';

export async function writeEvaluationReport(
  { store }: Deps,
  run: ActivityRun,
  { input, startedAt, result }: EvaluationReportInput,
): Promise<ReportFiles> {
  const { evaluate, model, endpoint, label } = input;
  const { benchmarks, samples } = await readEvaluations(store, evaluate, result, null);
  const summary = buildSummary({
    run: {
      workflowId: run.owner.workflowId,
      runId: run.owner.runId,
      recipe: label,
      startedAt,
      finishedAt: new Date().toISOString(),
    },
    labels: { base: label, tuned: 'tuned' },
    models: { base: { model: model?.uri ?? endpoint?.model ?? label, sampling: evaluate.sampling } },
    benchmarks,
    skipped: result.skipped,
    trainedCwes: null,
    training: null,
    usage: { classifier: null, teacher: null },
    stages: result.benchmarks.map(({ name, artifact, ...line }) => ({
      name: `evaluate ${name}`,
      artefact: artifact,
      seconds: line.seconds,
      reused: line.reused,
      rows: line.rows,
      costUsd: line.costUsd,
    })),
    counts: {},
    versions: {},
    k: evaluate.k,
  });
  return await publishReport(store, run, summary, await renderHtml(summary, samples));
}
