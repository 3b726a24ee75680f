/** Commands about schedules. */
import type { Command } from 'commander';
import { examples, finish } from './arguments.ts';

export function registerSchedule(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('runs at times of a calendar: apply a file, list, show, trigger, pause, resume, delete')
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      examples(
        [
          'npx secpi schedule apply recipes/nightly.json',
          'npx secpi schedule list',
          'npx secpi schedule trigger nightly',
        ],
        'Temporal keeps the schedule and starts the runs: nothing of this command stays behind.',
      ),
    );

  schedule
    .command('apply')
    .description('make the schedule of a file, or change it to that; a paused one stays paused')
    .argument('<file>', 'as schemas/schedule.schema.json describes')
    .addHelpText('after', examples(['npx secpi schedule apply recipes/nightly.json --json']))
    .action(
      async (file: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).apply(file, command.optsWithGlobals()),
        ),
    );

  schedule
    .command('list')
    .description('the schedules of the namespace')
    .addHelpText('after', examples(['npx secpi schedule list --json']))
    .action(
      async (_: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).list(command.optsWithGlobals()),
        ),
    );

  schedule
    .command('show')
    .description('times, policies, runs, what was missed or skipped')
    .argument('<id>', 'of the schedule')
    .addHelpText('after', examples(['npx secpi schedule show nightly']))
    .action(
      async (id: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).show(id, command.optsWithGlobals()),
        ),
    );

  schedule
    .command('trigger')
    .description('a run now, unless the one before still goes and the schedule skips then')
    .argument('<id>', 'of the schedule')
    .addHelpText('after', examples(['npx secpi schedule trigger nightly']))
    .action(
      async (id: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).trigger(id, command.optsWithGlobals()),
        ),
    );

  schedule
    .command('pause')
    .description('no further runs until it is resumed; one that goes is not ended')
    .argument('<id>', 'of the schedule')
    .option('--note <text>', 'why', 'paused by secpi schedule pause')
    .addHelpText('after', examples(['npx secpi schedule pause nightly --note "the endpoint moves house"']))
    .action(
      async (id: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).pause(id, command.optsWithGlobals()),
        ),
    );

  schedule
    .command('resume')
    .description('go on, after a pause or after a failed run')
    .argument('<id>', 'of the schedule')
    .option('--note <text>', 'why', 'resumed by secpi schedule resume')
    .addHelpText('after', examples(['npx secpi schedule resume nightly']))
    .action(
      async (id: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).resume(id, command.optsWithGlobals()),
        ),
    );

  schedule
    .command('delete')
    .description('no further runs; what it started, and all records, stay')
    .argument('<id>', 'of the schedule')
    .addHelpText('after', examples(['npx secpi schedule delete nightly']))
    .action(
      async (id: string, _: unknown, command: Command) =>
        await finish(
          async () => await (await import('../commands/schedule.ts')).remove(id, command.optsWithGlobals()),
        ),
    );
}
