#!/usr/bin/env node
/** The `secpi` command. Each command's code is loaded when it is called, so that --help is quick. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { workflowTypes } from '../contract/workflows.ts';
import type { GradeOptions } from './commands/grade.ts';
import type { ImportOptions } from './commands/import.ts';
import type { ResultsOptions } from './commands/results.ts';
import type { TracesOptions } from './commands/traces.ts';
import type { WorkerFlags } from './commands/worker.ts';
import { dataKinds } from '../services/report/data/kinds.ts';
import { complain, exitCodes } from './exit.ts';
import { several, severalCwes, severalKinds } from './traces/arguments.ts';

const DEFAULT_OUT = 'out/latest';
const doctorParts = ['gpu', 'suite', 'cweval', 'baxbench'] as const;
type DoctorPart = (typeof doctorParts)[number];

const program = new Command('secpi')
  .description(
    'Durable filter → distil → fine-tune → evaluate for code models that write secure code by themselves.',
  )
  .showHelpAfterError('(secpi --help shows the commands)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.badInput))
  .addHelpText(
    'after',
    `
Examples:
  npm start                                     install, run recipes/quick.json, print the table
  npx secpi up                                  the stack in the foreground
  npx secpi validate recipes/quick.json
  npx secpi run recipes/quick.json --detach     on the running stack, or on your cluster

Your own servers, instead of the embedded ones:
  TEMPORAL_ADDRESS (or a profile of the Temporal CLI), TEMPORAL_NAMESPACE
  AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, SECPI_BUCKET

Places: SECPI_STATE (default .secpi in the project), SECPI_CACHE (default ~/.cache/secpi), SECPI_PYTHON

Exit codes: 0 done · 1 the run failed · 2 bad input · 3 trouble with the stack or the cluster · 130 interrupted`,
  );

const finish = (work: () => Promise<number> | number): Promise<void> =>
  Promise.resolve(work()).then((code) => void (process.exitCode = code));

program
  .command('up')
  .description('start Temporal, S3, the recorded teacher and a worker; stay in the foreground until Ctrl-C')
  .option('--no-worker', 'without the worker: start some yourself with `secpi worker`')
  .action(
    async (options: { worker: boolean }) =>
      await finish(async () => await (await import('./commands/up.ts')).up(options)),
  );

program
  .command('demo')
  .description('run the quick recipe to its table, on the running stack or on one started for it')
  .option('--recipe <file>', 'another recipe, relative to the project', 'recipes/quick.json')
  .option('--keep', 'leave the stack up afterwards, until Ctrl-C', false)
  .option('--out <folder>', 'where report.html and summary.json go', DEFAULT_OUT)
  .addHelpText('after', '\nCtrl-C stops everything cleanly; the next call goes on where it was.\n')
  .action(
    async (options: { recipe: string; keep: boolean; out: string }) =>
      await finish(async () => await (await import('./commands/run.ts')).demo(options)),
  );

program
  .command('run')
  .description('upload what is local, start a run on the running stack or your cluster, and follow it')
  .argument('<recipe>', 'a recipe file')
  .option('--detach', 'do not follow', false)
  .option(
    '--workflow-id <id>',
    'default: from the name and content of the recipe, so that calling again joins the open run',
  )
  .option('--out <folder>', 'where report.html and summary.json go', DEFAULT_OUT)
  .addHelpText('after', '\nExample:\n  npx secpi run recipes/quick.json --workflow-id mine\n')
  .action(
    async (recipe: string, options: { detach: boolean; workflowId?: string; out: string }) =>
      await finish(async () => await (await import('./commands/run.ts')).run(recipe, options)),
  );

program
  .command('estimate')
  .description(
    'what filter and distil of a recipe will cost: asks a small sample, whose answers are not paid again',
  )
  .argument('<recipe>', 'a recipe file')
  .option('--sample-classifier <rows>', 'rows asked of the classifier; 0 asks nobody', parseCount, 200)
  .option('--sample-teacher <rows>', 'rows asked of the teacher; 0 asks nobody', parseCount, 40)
  .option('--json', 'the estimate as JSON on standard output', false)
  .action(
    async (recipe: string, options: { sampleClassifier: number; sampleTeacher: number; json: boolean }) =>
      await finish(async () => await (await import('./commands/estimate.ts')).estimate(recipe, options)),
  );

program
  .command('validate')
  .description('check the input of a workflow; every problem with its field and remedy')
  .argument('<recipe>', 'a JSON file')
  .addOption(new Option('--type <workflow>', 'whose input it is').choices(workflowTypes).default('secpi'))
  .option('--json', 'for machines: {ok, problems: [{code, field, problem, remedy}]}', false)
  .action(
    async (recipe: string, options: { json: boolean; type: (typeof workflowTypes)[number] }) =>
      await finish(async () => await (await import('./commands/validate.ts')).validate(recipe, options)),
  );

program
  .command('traces')
  .description('look at the rows of a run: verdicts, traces, rejections; search, count, export')
  .argument('<run>', 'a workflow id (secpi, filterDataset, distillTraces) or the uri of an artefact')
  .option(`--kind <kind>`, `only these: ${dataKinds.join(', ')}; several by comma`, severalKinds, [])
  .option('--cwe <cwe>', 'only with this weakness or its kin, or of a family (injection, …)', severalCwes, [])
  .option('--language <name>', 'only in this language', several, [])
  .option('--reason <text>', 'only with this text in the reason')
  .option('--search <text>', 'only with this text in task, reasoning, answer, reason or id')
  .option('--id <id>', 'only this row')
  .option('--limit <rows>', 'how many are shown (default: 20; with --json all)', parseCount)
  .option('--full', 'whole texts', false)
  .option('--count', 'only counts by kind, weakness, language and reason', false)
  .option('--json', 'JSON Lines with everything, for jq', false)
  .option('--export <folder>', 'write the traces as a Hugging Face style dataset')
  .addHelpText(
    'after',
    `
Examples:
  npx secpi traces mine --kind rejected --reason truncated
  npx secpi traces mine --cwe CWE-89 --language python --full --limit 3
  npx secpi traces mine --count
  npx secpi traces mine --kind review --json > review.jsonl
  npx secpi traces s3://secpi/artifacts/traces/… --export my-dataset

A run that still goes, or that failed, shows what its finished shards hold.
`,
  )
  .action(
    async (run: string, options: TracesOptions) =>
      await finish(async () => await (await import('./commands/traces.ts')).traces(run, options)),
  );

program
  .command('grade')
  .description('grade programs that lie in a folder, on this machine: no Temporal, no S3')
  .addArgument(new Argument('<benchmark>', 'whose tasks they are').choices(['suite', 'cweval', 'guard']))
  .requiredOption(
    '--samples <folder>',
    'replies in CWEval’s layout: generated_<i>/<language folders>/<task>_raw.<ending>',
  )
  .option('--json', '{strict, upstream, samples} on standard output', false)
  .option('--out <folder>', 'write report.html, report.md and summary.json there')
  .option(
    '--write-results <folder>',
    'write res.json and res_all.json there, as CWEval’s own report reads them',
  )
  .option(
    '--wall-seconds <s>',
    'all tests of one sample (default: 20; more on the retry of a timeout)',
    parseSeconds,
  )
  .option('--test-seconds <s>', 'cweval: one test (default: 20; upstream has 3)', parseSeconds)
  .option('--concurrency <n>', 'samples at a time (default: by the cores)', parseCount)
  .addHelpText(
    'after',
    `
Examples:
  npx secpi grade suite --samples samples --json
  CWEVAL_HOME=~/CWEval npx secpi grade cweval --samples ~/CWEval/evals/eval_1 --out report

The denominator is every task that has a sample, as often as there are generated_ folders: a missing sample is a
failure, and so is one that cannot be imported, exits early, hangs or kills itself. Progress goes to standard error.
\`secpi doctor suite\` and \`secpi doctor cweval\` say what this machine lacks.
`,
  )
  .action(
    async (benchmark: 'suite' | 'cweval' | 'guard', options: GradeOptions) =>
      await finish(async () => await (await import('./commands/grade.ts')).grade(benchmark, options)),
  );

program
  .command('import')
  .description(
    'report results that another harness made: an evals folder of CWEval, a results folder of BaxBench',
  )
  .addArgument(new Argument('<benchmark>', 'whose they are').choices(['cweval', 'baxbench']))
  .argument('<folder>', 'evals/eval_…, or results/<model>')
  .option('--model <name>', 'baxbench: which one, of a folder with several')
  .option('--against <folder>', 'a second folder of the same kind: the report compares the two')
  .option('--against-model <name>', 'baxbench: which one of the second folder (default: of the first)')
  .option('--label <name>', 'how the first is called (default: its folder)')
  .option('--against-label <name>', 'how the second is called (default: its folder)')
  .option('--out <folder>', 'write report.html, report.md and summary.json there')
  .option('--json', 'summary.json on standard output', false)
  .addHelpText(
    'after',
    `
Examples:
  npx secpi import cweval ~/CWEval/evals/eval_1 --out report
  npx secpi import baxbench results/base --against results/tuned --out report
`,
  )
  .action(
    async (benchmark: 'cweval' | 'baxbench', folder: string, options: ImportOptions) =>
      await finish(
        async () => await (await import('./commands/import.ts')).importResults(benchmark, folder, options),
      ),
  );

program
  .command('results')
  .description(
    'write an evaluation as the benchmark’s own tools read it: evals of CWEval, results of BaxBench',
  )
  .argument('<evaluation>', 'uri of an evaluation artefact, as evaluateModel returns it')
  .requiredOption('--out <folder>', 'where the files go')
  .option('--model <name>', 'baxbench: how the folder of the model is called', 'model')
  .addHelpText(
    'after',
    `
Example:
  npx secpi results s3://secpi/artifacts/evaluation/… --out evals/mine
  cd $CWEVAL_HOME && python cweval/evaluate.py report_pass_at_k --eval_path evals/mine
`,
  )
  .action(
    async (uri: string, options: ResultsOptions) =>
      await finish(async () => await (await import('./commands/results.ts')).results(uri, options)),
  );

const models = program
  .command('models')
  .description('the model registry: what is there; show, promote, export')
  .option('--json', 'for machines', false)
  .addHelpText(
    'after',
    `
Examples:
  npx secpi models
  npx secpi models show my-coder@2 --card
  npx secpi models promote my-coder@2
  npx secpi models export my-coder --as merged --out ./my-coder

Where no version is named, the current one is meant, else the newest.
`,
  )
  .action(
    async (options: { json: boolean }) =>
      await finish(async () => await (await import('./commands/models.ts')).list(options)),
  );
models
  .command('show')
  .description('lineage and losses of a version')
  .argument('<model>', 'NAME or NAME@VERSION')
  .option('--card', 'the model card, Markdown', false)
  .action(
    async (model: string, _: unknown, command: Command) =>
      await finish(
        async () => await (await import('./commands/models.ts')).show(model, command.optsWithGlobals()),
      ),
  );
models
  .command('promote')
  .description('make a version the current one; loses against somebody who promotes another at the same time')
  .argument('<model>', 'NAME@VERSION')
  .action(
    async (model: string) =>
      await finish(async () => await (await import('./commands/models.ts')).promote(model)),
  );
models
  .command('export')
  .description(
    'write a folder that vLLM and transformers (merged) or peft (adapter) load, with its card; or the metrics',
  )
  .argument('<model>', 'NAME or NAME@VERSION')
  .addOption(
    new Option('--as <form>', 'what to write').choices(['merged', 'adapter', 'metrics']).default('merged'),
  )
  .requiredOption('--out <folder>', 'not there yet, or empty; it appears whole or not at all')
  .action(
    async (model: string, options: { as: 'merged' | 'adapter' | 'metrics'; out: string }) =>
      await finish(async () => await (await import('./commands/models.ts')).exportTo(model, options)),
  );

program
  .command('doctor')
  .description(
    'check programs, memory, sandbox, Temporal and S3, and say what to do; or this machine for GPU work or a benchmark',
  )
  .addArgument(new Argument('[part]', 'only this, in detail').choices(doctorParts))
  .action(async (part: DoctorPart | undefined) => await finish(async () => await examine(part)));

program
  .command('worker')
  .description('a worker in the foreground: control, data, gpu, sandbox; all by default')
  .argument('[kinds...]')
  .option('--class <name>', 'gpu: serve only recipes that ask for this class (finetune.gpu.class)')
  .option('--slots <n>', 'gpu: trainings and generations at a time (default: one a GPU; on a CPU one)')
  .option('--idle-exit <minutes>', 'gpu: end with code 0 after so long without a task, for autoscalers')
  .addHelpText(
    'after',
    `
Examples, on a machine with a GPU:
  TEMPORAL_ADDRESS=host:7233 AWS_ENDPOINT_URL_S3=http://host:9000 npx secpi worker gpu
  npx secpi worker gpu --class a100-spot --idle-exit 20

A GPU worker looks at its machine first (npx secpi doctor gpu shows the same) and ends with code 1 when it is unfit.
SIGTERM and the preemption notices of AWS, GCP, Azure and Kubernetes let trainings save and hand over:
  SECPI_PREEMPTION      auto (default), off, or some of aws,gcp,azure,kubernetes
  SECPI_GRACE_SECONDS   from SIGTERM to the end (default 30)
  SECPI_MIN_DISK_GB     free disk a GPU worker wants (default 10)
`,
  )
  .action(
    async (kinds: string[], flags: WorkerFlags) =>
      await finish(async () => await (await import('./commands/worker.ts')).worker(kinds, flags)),
  );

program
  .command('teacher')
  .description(
    'the recorded teacher in the foreground: an OpenAI-compatible server that answers from records/',
  )
  .option('--port <port>', '0 takes a free one', parsePort, 0)
  .option('--records <folder>', 'default: records in the project')
  .option('--latency-ms <ms>', 'how long an answer takes', parseCount, 0)
  .action(
    async (options: { port: number; records?: string; latencyMs: number }) =>
      await finish(async () => await (await import('./commands/teacher.ts')).teacher(options)),
  );

program
  .command('setup')
  .description('install what is missing; quick when nothing is')
  .action(async () => await finish(async () => (await import('./commands/setup.ts')).setup()));

async function examine(part: DoctorPart | undefined): Promise<number> {
  switch (part) {
    case 'gpu':
      return await (await import('./commands/doctorGpu.ts')).doctorGpu();
    case 'suite':
      return await (await import('./commands/doctorSuite.ts')).doctorSuite();
    case 'cweval':
      return await (await import('./commands/doctorCweval.ts')).doctorCweval();
    case 'baxbench':
      return await (await import('./commands/doctorBaxbench.ts')).doctorBaxbench();
    case undefined:
      return await (await import('./commands/doctor.ts')).doctor();
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600))
    throw new InvalidArgumentError('It must be above 0, and at most 3600.');
  return seconds;
}

function parsePort(text: string): number {
  const port = parseCount(text);
  if (port > 65_535) throw new InvalidArgumentError('It must be a port number.');
  return port;
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

try {
  await program.parseAsync();
} catch (error) {
  const { exitCode, text } = complain(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
// Everything is closed; a retry that the Temporal client has still planned would find its channel closed and throw.
process.exit();
