/** Commands about what the store holds. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { artifactKinds, type ArtifactKind } from '../../contract/refs.ts';
import type { GcFlags } from '../artifacts/commands.ts';
import { examples, finish, parseCount } from '../program/arguments.ts';

/** Three times of what writers rely on; MIN_GRACE_MS of the collection, which loads too much for --help. */
const MIN_GRACE_HOURS = 48;

export function register(program: Command): void {
  const artifacts = program
    .command('artifacts')
    .description('what the store holds: list, lineage, verification, garbage collection')
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      examples([
        'npx secpi artifacts ls --kind traces',
        'npx secpi artifacts show s3://secpi/artifacts/model/…',
        'npx secpi artifacts verify',
        'npx secpi artifacts gc                    says what would go',
        'npx secpi artifacts gc --delete',
      ]),
    );
  artifacts
    .command('ls')
    .description('artefacts, published and being made, newest first')
    .addOption(new Option('--kind <kind>', 'only these').choices(artifactKinds))
    .addHelpText('after', examples(['npx secpi artifacts ls', 'npx secpi artifacts ls --kind evaluation']))
    .action(
      async (_: unknown, command: Command) =>
        await finish(
          async () =>
            await (
              await import('../artifacts/commands.ts')
            ).list(command.optsWithGlobals<{ kind?: ArtifactKind; json: boolean }>()),
        ),
    );
  artifacts
    .command('show')
    .description('what an artefact was made of, as a tree back to the datasets')
    .argument('<uri>', 's3://…/artifacts/KIND/FINGERPRINT, or registry:NAME@VERSION')
    .addHelpText('after', examples(['npx secpi artifacts show registry:my-coder@2']))
    .action(
      async (uri: string, _: unknown, command: Command) =>
        await finish(
          async () =>
            await (
              await import('../artifacts/commands.ts')
            ).show(uri, command.optsWithGlobals<{ json: boolean }>()),
        ),
    );
  artifacts
    .command('verify')
    .description('read artefacts back, every byte against its hash; ends with code 1 where one is damaged')
    .argument('[uris...]', 'none: all that is published, and the checkpoints of all trainings')
    .addHelpText('after', examples(['npx secpi artifacts verify', 'npx secpi artifacts verify s3://…']))
    .action(
      async (uris: string[], _: unknown, command: Command) =>
        await finish(
          async () =>
            await (
              await import('../artifacts/commands.ts')
            ).verify(uris, command.optsWithGlobals<{ json: boolean }>()),
        ),
    );
  artifacts
    .command('gc')
    .description(
      'blobs that nothing names: how many, and with --delete away with them; runs may go on meanwhile',
    )
    .option('--delete', 'delete; without it nothing is written', false)
    .option(
      '--grace-hours <n>',
      `keep what was written less long ago, by the store's clock (at least ${MIN_GRACE_HOURS})`,
      parseGrace,
      MIN_GRACE_HOURS,
    )
    .addHelpText(
      'after',
      examples(
        ['npx secpi artifacts gc', 'npx secpi artifacts gc --delete --grace-hours 168'],
        'Published artefacts, checkpoints, registered models, paid answers, verdicts and uploads are kept.',
      ),
    )
    .action(
      async (_: unknown, command: Command) =>
        await finish(
          async () => await (await import('../artifacts/commands.ts')).gc(command.optsWithGlobals<GcFlags>()),
        ),
    );
}

function parseGrace(text: string): number {
  const hours = parseCount(text);
  if (hours < MIN_GRACE_HOURS)
    throw new InvalidArgumentError(`It must be at least ${MIN_GRACE_HOURS}: running writers rely on it.`);
  return hours;
}
