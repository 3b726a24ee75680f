/** Commands about runs: demo, run, runs, report, compare, estimate, validate. */
import { Option, type Command } from 'commander';
import { workflowTypes } from '../../contract/workflows.ts';
import type { RunsOptions } from '../commands/runs.ts';
import { inputKinds, type InputKind } from '../inputKinds.ts';
import { runStates } from '../runs/states.ts';
import { DEFAULT_OUT, examples, finish, parseCount } from './arguments.ts';

export function registerRuns(program: Command): void {
  program
    .command('demo')
    .description('run the quick recipe to its table, on the running stack or on one started for it')
    .option('--recipe <file>', 'another recipe, relative to the project', 'recipes/quick.json')
    .option('--keep', 'leave the stack up afterwards, until Ctrl-C', false)
    .option('--out <folder>', 'where report.html and summary.json go', DEFAULT_OUT)
    .addHelpText(
      'after',
      examples(
        ['npx secpi demo', 'npx secpi demo --keep'],
        'Ctrl-C stops everything cleanly; the next call goes on where it was.',
      ),
    )
    .action(
      async (options: { recipe: string; keep: boolean; out: string }) =>
        await finish(async () => await (await import('../commands/run.ts')).demo(options)),
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
    .option(
      '--json',
      'the run, and at its end its report and summary, as JSON on standard output; progress goes to standard error',
      false,
    )
    .addHelpText(
      'after',
      examples(
        [
          'npx secpi run recipes/quick.json --workflow-id mine',
          'npx secpi run recipes/quick.json --detach --json | jq -r .workflowId',
        ],
        'Ctrl-C stops following; the run goes on. `npx secpi runs follow ID`, or the same command, follows it again.',
      ),
    )
    .action(
      async (recipe: string, options: { detach: boolean; workflowId?: string; out: string; json: boolean }) =>
        await finish(async () => await (await import('../commands/run.ts')).run(recipe, options)),
    );

  const runs = program
    .command('runs')
    .description(
      'the runs, those that go first, then the last that ended: state, stage, cost, score; follow one again',
    )
    .addOption(new Option('--state <state>', 'only in this state').choices(runStates))
    .addOption(new Option('--type <workflow>', 'only of this workflow').choices(workflowTypes))
    .option('--children', 'the stages of a run too, not only what was started by somebody', false)
    .option('--limit <runs>', 'how many', parseCount, 20)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      examples([
        'npx secpi runs',
        'npx secpi runs --state failed --type reevaluate',
        'npx secpi runs --json | jq -r ".[].workflowId"',
        'npx secpi runs follow mine',
      ]),
    )
    .action(
      async (options: RunsOptions) =>
        await finish(async () => await (await import('../commands/runs.ts')).runs(options)),
    );
  runs
    .command('follow')
    .description('follow a run to its end, from any terminal; Ctrl-C leaves it running')
    .argument('<run>', 'a workflow id')
    .option('--out <folder>', 'where the report goes, when it makes one', DEFAULT_OUT)
    .addHelpText('after', examples(['npx secpi runs follow mine', 'npx secpi runs follow mine/fine-tune']))
    .action(
      async (run: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/follow.ts')).followRun(run, command.optsWithGlobals()),
        ),
    );

  program
    .command('report')
    .description('fetch the report of a finished run: report.html, report.md, summary.json')
    .argument('<run>', 'a workflow id')
    .option('--out <folder>', 'where they go', DEFAULT_OUT)
    .option('--json', '{workflowId, runId, files} on standard output', false)
    .addHelpText(
      'after',
      examples([
        'npx secpi report mine',
        'npx secpi report nightly --out report',
        'npx secpi report mine --json | jq .files',
      ]),
    )
    .action(
      async (run: string, options: { out: string; json: boolean }) =>
        await finish(async () => await (await import('../commands/report.ts')).report(run, options)),
    );

  program
    .command('compare')
    .description('compare two evaluations of the same tasks, paired by task')
    .argument('<a>', 'what the other is compared with: see below')
    .argument('<b>', 'the other')
    .option('--label <name>', 'how the first is called')
    .option('--against-label <name>', 'how the second is called')
    .option('--out <folder>', 'write report.html, report.md and summary.json there')
    .option('--json', 'summary.json on standard output', false)
    .addHelpText(
      'after',
      examples(
        [
          'npx secpi compare mine/evaluate-base other/evaluate-tuned --out report',
          'npx secpi compare s3://secpi/artifacts/evaluation/… s3://secpi/artifacts/evaluation/…',
          'npx secpi compare out/yesterday/summary.json mine',
        ],
        'Each is the uri of an evaluation, the workflow id of a run of evaluateModel or secpi (whose tuned model is meant;\nits base model is ID/evaluate-base), or the summary.json of a run whose evaluations are in the store.',
      ),
    )
    .action(
      async (
        a: string,
        b: string,
        options: { label?: string; againstLabel?: string; out?: string; json: boolean },
      ) => await finish(async () => await (await import('../commands/compare.ts')).compare([a, b], options)),
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
    .addHelpText(
      'after',
      examples([
        'npx secpi estimate recipes/quick.json',
        'npx secpi estimate recipes/quick.json --sample-classifier 0 --sample-teacher 0',
      ]),
    )
    .action(
      async (recipe: string, options: { sampleClassifier: number; sampleTeacher: number; json: boolean }) =>
        await finish(async () => await (await import('../commands/estimate.ts')).estimate(recipe, options)),
    );

  program
    .command('validate')
    .description(
      'check the input of a workflow, or the file of a schedule; every problem with its field and remedy',
    )
    .argument('<recipe>', 'a JSON file')
    .addOption(
      new Option('--type <workflow>', 'whose input it is; or the file of a schedule')
        .choices(inputKinds)
        .default('secpi'),
    )
    .option('--json', 'for machines: {ok, problems: [{code, field, problem, remedy}]}', false)
    .addHelpText(
      'after',
      examples([
        'npx secpi validate recipes/quick.json',
        'npx secpi validate training.json --type fineTune --json',
        'npx secpi validate recipes/nightly.json --type schedule',
      ]),
    )
    .action(
      async (recipe: string, options: { json: boolean; type: InputKind }) =>
        await finish(async () => await (await import('../commands/validate.ts')).validate(recipe, options)),
    );
}
