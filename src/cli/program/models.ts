/** Commands about registered models. */
import { Option, type Command } from 'commander';
import { examples, finish } from './arguments.ts';

export function registerModels(program: Command): void {
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
        await finish(async () => await (await import('../commands/models.ts')).list(options)),
    );
  models
    .command('show')
    .description('lineage and losses of a version')
    .argument('<model>', 'NAME or NAME@VERSION')
    .option('--card', 'the model card, Markdown', false)
    .addHelpText(
      'after',
      examples(['npx secpi models show my-coder', 'npx secpi models show my-coder@2 --card']),
    )
    .action(
      async (model: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/models.ts')).show(model, command.optsWithGlobals()),
        ),
    );
  models
    .command('promote')
    .description(
      'make a version the current one; loses against somebody who promotes another at the same time',
    )
    .argument('<model>', 'NAME@VERSION')
    .addHelpText('after', examples(['npx secpi models promote my-coder@2']))
    .action(
      async (model: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/models.ts')).promote(model, command.optsWithGlobals()),
        ),
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
    .addHelpText(
      'after',
      examples([
        'npx secpi models export my-coder --out ./my-coder',
        'npx secpi models export my-coder@2 --as adapter --out ./adapter',
      ]),
    )
    .action(
      async (model: string, _: unknown, command: Command) =>
        await finish(
          async () =>
            await (await import('../commands/models.ts')).exportTo(model, command.optsWithGlobals()),
        ),
    );
}
