/** Commands about benchmark results outside runs: grade, import, results. */
import { Argument, type Command } from 'commander';
import type { GradeOptions } from '../commands/grade.ts';
import type { ImportOptions } from '../commands/import.ts';
import type { ResultsOptions } from '../commands/results.ts';
import { finish, parseCount, parseSeconds } from './arguments.ts';

export function registerBenchmarks(program: Command): void {
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
        await finish(async () => await (await import('../commands/grade.ts')).grade(benchmark, options)),
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
          async () => await (await import('../commands/import.ts')).importResults(benchmark, folder, options),
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
    .option('--json', '{folder, benchmark, samples} on standard output', false)
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
        await finish(async () => await (await import('../commands/results.ts')).results(uri, options)),
    );
}
