/** `secpi import cweval|baxbench FOLDER`: a report of results that another harness made, or of two such side by side. */
import { basename, resolve } from 'node:path';
import type { PromptVariant } from '../../contract/benchmarkNames.ts';
import { SecpiError } from '../../contract/errors.ts';
import { samplingSchema, type Sampling } from '../../contract/recipe.ts';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import { importBaxbenchResults } from '../../services/benchmarks/baxbench/index.ts';
import { importCwevalResults } from '../../services/benchmarks/cweval/index.ts';
import { buildSummary, renderTable, type ReportedSample } from '../../services/report/index.ts';
import { exitCodes } from '../exit.ts';
import { writeReportFolder } from '../reportFolder.ts';

export interface ImportOptions {
  /** Of a folder that holds several. */
  readonly model?: string;
  readonly against?: string;
  readonly againstModel?: string;
  readonly label?: string;
  readonly againstLabel?: string;
  readonly out?: string;
  readonly json: boolean;
}

interface Imported {
  readonly name: string;
  readonly sampling: Sampling;
  readonly variants: readonly PromptVariant[];
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly samplesPerTask: number;
  readonly samples: readonly Omit<ReportedSample, 'model'>[];
  /** What cannot be told from the folder, a sentence each. */
  readonly notes: readonly string[];
}

export async function importResults(
  benchmark: 'cweval' | 'baxbench',
  folder: string,
  options: ImportOptions,
): Promise<number> {
  const startedAt = new Date().toISOString();
  const read = benchmark === 'cweval' ? readCweval : readBaxbench;
  const base = await read(resolve(folder), 'model', options.model);
  const { against = options.againstModel === undefined ? undefined : folder } = options;
  const tuned =
    against === undefined ? null : await read(resolve(against), 'against-model', options.againstModel);
  if (tuned !== null) requireSameDesign(base, tuned);
  const labels = { base: options.label ?? base.name, tuned: options.againstLabel ?? tuned?.name ?? 'tuned' };
  const summary = buildSummary({
    run: {
      workflowId: '',
      runId: '',
      recipe: tuned === null ? labels.base : `${labels.base} → ${labels.tuned}`,
      startedAt,
      finishedAt: new Date().toISOString(),
    },
    labels,
    models: {
      base: { model: base.name, sampling: base.sampling },
      ...(tuned === null ? {} : { tuned: { model: tuned.name, sampling: tuned.sampling } }),
    },
    benchmarks: [
      {
        name: benchmark,
        measures: 'functionAndSecurity',
        tasks: base.tasks,
        samplesPerTask: base.samplesPerTask,
        variants: base.variants,
        base: base.samples.map(({ verdict }) => verdict),
        ...(tuned === null ? {} : { tuned: tuned.samples.map(({ verdict }) => verdict) }),
        hasUpstreamFigure: true,
        references: null,
        versions: {},
        excluded: [...new Set([...base.notes, ...(tuned?.notes ?? [])])],
      },
    ],
    skipped: [],
    trainedCwes: null,
    training: null,
    usage: { classifier: null, teacher: null },
    stages: [],
    counts: {},
    versions: {},
    k: 1,
  });
  if (options.out !== undefined)
    await writeReportFolder(resolve(options.out), summary, [
      ...base.samples.map((sample) => ({ ...sample, model: 'base' as const })),
      ...(tuned?.samples ?? []).map((sample) => ({ ...sample, model: 'tuned' as const })),
    ]);
  process.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : `${renderTable(summary)}\n`);
  return exitCodes.ok;
}

const ELSEWHERE = 'Graded by another harness: prompts, references and tools are not known here.';

async function readCweval(folder: string): Promise<Imported> {
  const { tasks, verdicts, samplesPerTask, replies, notes } = await importCwevalResults(folder);
  return {
    name: basename(folder),
    // CWEval's results do not tell how they were sampled.
    sampling: samplingSchema.parse({}),
    variants: ['none'],
    tasks,
    samplesPerTask,
    samples: verdicts.map((verdict) => ({
      verdict,
      prompt: '',
      reply: replies.get(`${verdict.taskId} ${verdict.sample}`) ?? null,
      reasoning: null,
      code: null,
    })),
    notes: [
      ELSEWHERE,
      'CWEval does not note how the samples were drawn: the sampling shown is not theirs.',
      ...notes,
    ],
  };
}

async function readBaxbench(folder: string, option: string, wanted: string | undefined): Promise<Imported> {
  const groups = await importBaxbenchResults(folder);
  const described = groups.map((group) => ({
    group,
    name: `${group.model} temp${group.temperature}-${group.spec}`,
  }));
  const matching = described.filter(
    ({ group, name }) => wanted === undefined || wanted === group.model || wanted === name,
  );
  const [only] = matching;
  if (only === undefined || matching.length > 1) {
    throw new SecpiError(
      'SAMPLES_INVALID',
      `${folder} holds ${matching.length} results that fit: ${(matching.length > 0 ? matching : described).map(({ name }) => `"${name}"`).join(', ')}.`,
      { field: option, remedy: `Name one of them by --${option}.` },
    );
  }
  const { tasks, samplesPerTask, variants, samples, temperature, model } = only.group;
  return {
    name: model,
    sampling: samplingSchema.parse({ temperature }),
    variants,
    tasks,
    samplesPerTask,
    samples: samples.map(({ verdict, code }) => ({
      verdict,
      prompt: '',
      reply: null,
      reasoning: null,
      code: code.size === 0 ? null : [...code].map(([path, text]) => `# ${path}\n${text}`).join('\n\n'),
    })),
    notes: [ELSEWHERE],
  };
}

/** Pairing needs the same tasks, asked as often in the same ways. */
function requireSameDesign(base: Imported, tuned: Imported): void {
  const design = ({ tasks, samplesPerTask, variants }: Imported): string =>
    JSON.stringify([tasks.map(({ taskId }) => taskId).sort(), samplesPerTask, variants]);
  if (design(base) === design(tuned)) return;
  throw new SecpiError(
    'SAMPLES_INVALID',
    `the two are not about the same samples: ${base.tasks.length} tasks × ${base.samplesPerTask} against ${tuned.tasks.length} × ${tuned.samplesPerTask}.`,
    { field: 'against', remedy: 'Give two results of the same tasks, samples and prompt variants.' },
  );
}
