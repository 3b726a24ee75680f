/** What evaluations published, read back for a report: one model's, or two models' side by side. */
import type { ReportedEvaluation } from '../contract/activities.ts';
import type { EvaluateSettings } from '../contract/recipe.ts';
import {
  sampleRowSchema,
  verdictRowSchema,
  type BenchmarkTaskRow,
  type SampleRow,
  type VerdictRow,
} from '../contract/rows.ts';
import { SecpiError } from '../contract/errors.ts';
import { extractCode } from '../services/benchmarks/suite/extract.ts';
import type { EvaluatedBenchmark, ReportedSample } from '../services/report/index.ts';
import { readRows, type Store } from '../services/store/index.ts';
import { provenanceOf } from './grade.ts';
import { readBenchmark } from './prepareBenchmark.ts';

export interface EvaluatedPair {
  readonly benchmarks: EvaluatedBenchmark[];
  readonly samples: ReportedSample[];
}

export async function readEvaluations(
  store: Store,
  { samplesPerTask, promptVariants: variants, languages }: EvaluateSettings,
  base: ReportedEvaluation,
  tuned: ReportedEvaluation | null,
): Promise<EvaluatedPair> {
  const benchmarks: EvaluatedBenchmark[] = [];
  const samples: ReportedSample[] = [];
  for (const result of base.benchmarks) {
    const other = tuned?.benchmarks.find(({ name }) => name === result.name) ?? null;
    if (other !== null && other.benchmark !== result.benchmark)
      throw new SecpiError('INTERNAL', `the two models were asked different tasks of ${result.name}.`);
    const { tasks, facts } = await readBenchmark(store, result.benchmark);
    const [first, second] = await Promise.all([
      readGraded(store, result, tasks, 'base'),
      other === null ? null : readGraded(store, other, tasks, 'tuned'),
    ]);
    benchmarks.push({
      name: result.name,
      measures: facts['measures'] === 'function' ? 'function' : 'functionAndSecurity',
      tasks,
      samplesPerTask,
      variants,
      base: first.verdicts,
      ...(second === null ? {} : { tuned: second.verdicts }),
      hasUpstreamFigure: facts['hasUpstreamFigure'] === true,
      // BaxBench ships no solutions: nothing was proven.
      references: first.references.tasks === 0 ? null : first.references,
      versions: first.versions,
      excluded: [
        ...(languages.length === 0 ? [] : [`Only tasks in ${languages.join(', ')}, as the recipe says.`]),
        ...new Set(
          [...first.missingAnalysers, ...(second?.missingAnalysers ?? [])].map(
            (what) => `No opinion of ${what}`,
          ),
        ),
      ],
    });
    samples.push(...first.samples, ...(second?.samples ?? []));
  }
  return { benchmarks, samples };
}

async function readGraded(
  store: Store,
  result: ReportedEvaluation['benchmarks'][number],
  tasks: readonly BenchmarkTaskRow[],
  model: ReportedSample['model'],
) {
  const [evaluation, generation] = await Promise.all([
    store.artifacts.readByUri(result.artifact),
    store.artifacts.readByUri(result.generation),
  ]);
  const replies = new Map<number, SampleRow>();
  for await (const row of readRows(store.blobs, generation.parts['samples'] ?? [], {}, sampleRowSchema))
    replies.set(row.index, row);
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const verdicts: VerdictRow[] = [];
  const samples: ReportedSample[] = [];
  for await (const verdict of readRows(
    store.blobs,
    evaluation.parts['verdicts'] ?? [],
    {},
    verdictRowSchema,
  )) {
    verdicts.push(verdict);
    samples.push(reported(model, verdict, byId.get(verdict.taskId), replies.get(verdict.index)));
  }
  return { verdicts, samples, ...provenanceOf(evaluation) };
}

function reported(
  model: ReportedSample['model'],
  verdict: VerdictRow,
  task: BenchmarkTaskRow | undefined,
  row: SampleRow | undefined,
): ReportedSample {
  const reply = row?.reply ?? null;
  const code =
    task === undefined || reply === null || !verdict.extractable
      ? null
      : extractCode(reply, task.language, task.entryPoint).code;
  return {
    model,
    verdict,
    prompt: task?.prompts[verdict.variant] ?? '',
    ...(task === undefined ? {} : { cwes: task.cwes }),
    reply,
    reasoning: row?.reasoning ?? null,
    code,
  };
}
