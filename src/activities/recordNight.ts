/** A night's evaluation, read back and compared with its series: the records, the decision and the report. */
import { z } from 'zod';
import type { NightResult, RecordNightInput } from '../contract/workflows.ts';
import { SecpiError } from '../contract/errors.ts';
import { measureNight, recordNights } from '../services/monitor/index.ts';
import { buildSummary, renderHtml } from '../services/report/index.ts';
import type { Deps } from './deps.ts';
import { readEvaluations } from './evaluatedBenchmarks.ts';
import { publishReport } from './reportFiles.ts';
import type { ActivityRun } from './runActivity.ts';

export async function recordNight(
  { store }: Pick<Deps, 'store'>,
  run: ActivityRun,
  { input, model, time, evaluation }: RecordNightInput,
): Promise<NightResult> {
  const { series, evaluate } = input;
  const { workflowId, runId } = run.owner;
  const { benchmarks, samples } = await readEvaluations(store, evaluate, evaluation, null);
  const context = { series, workflowId, time, model, evaluate };
  const [first, ...rest] = await Promise.all(
    benchmarks.map(async (evaluated) => {
      const graded = evaluation.benchmarks.find(({ name }) => name === evaluated.name);
      if (graded === undefined) throw new SecpiError('INTERNAL', `nothing was graded of ${evaluated.name}.`);
      const { facts, contentSha256 } = await store.artifacts.readByUri(graded.generation);
      const engine = z.array(z.string()).catch([]).parse(facts['engine']);
      return measureNight(context, {
        evaluated,
        artifact: graded.artifact,
        samplesSha256: contentSha256,
        engine,
      });
    }),
  );
  if (first === undefined) throw new SecpiError('INTERNAL', 'a night has a benchmark.');
  const { trend, night } = await recordNights(store.objects, input, [first, ...rest]);
  const summary = buildSummary({
    run: {
      workflowId,
      runId,
      recipe: series,
      startedAt: time.at,
      finishedAt: new Date().toISOString(),
    },
    labels: { base: series, tuned: 'tuned' },
    models: { base: { model, sampling: evaluate.sampling } },
    benchmarks,
    skipped: evaluation.skipped,
    trainedCwes: null,
    training: null,
    usage: { classifier: null, teacher: null },
    stages: evaluation.benchmarks.map(({ name, artifact, seconds, reused, rows, costUsd }) => ({
      name: `evaluate ${name}`,
      artefact: artifact,
      seconds,
      reused,
      rows,
      costUsd,
    })),
    counts: {},
    trend,
    versions: {},
    k: evaluate.k,
  });
  // What nobody could look at clears no alarm in silence.
  const unseen = evaluation.skipped.map(({ name, reason }) => `${name}: not looked at tonight: ${reason}`);
  const report = await publishReport(store, run, summary, await renderHtml(summary, samples));
  return {
    ...night,
    changed: night.changed || unseen.length > 0,
    sentences: [...unseen, ...night.sentences],
    report,
  };
}
