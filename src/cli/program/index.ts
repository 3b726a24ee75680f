/** All commands, group by group, with the texts that every help shows. */
import { Argument, Command } from 'commander';
import { exitCodes } from '../exit.ts';
import { shells, type Shell } from '../completions/shells.ts';
import { examples, finish, type Register } from './arguments.ts';
import { register as registerArtifacts } from '../commands/artifacts.ts';
import { registerBenchmarks } from './benchmarks.ts';
import { registerData } from './data.ts';
import { registerModels } from './models.ts';
import { registerRuns } from './runs.ts';
import { registerSchedule } from './schedule.ts';
import { registerStack } from './stack.ts';

const groups: readonly (readonly [string, Register])[] = [
  ['Runs:', registerRuns],
  ['Runs:', registerSchedule],
  ['Data, benchmarks, models:', registerData],
  ['Data, benchmarks, models:', registerBenchmarks],
  ['Data, benchmarks, models:', registerModels],
  ['Data, benchmarks, models:', registerArtifacts],
  ['Stack and machine:', registerStack],
  ['Stack and machine:', registerCompletions],
];

export function createProgram(): Command {
  const program = new Command('secpi')
    .description(
      'Durable filter → distil → fine-tune → evaluate for code models that write secure code by themselves.',
    )
    .showHelpAfterError('(--help shows what there is, with examples)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.badInput))
    .addHelpText(
      'after',
      `
Examples:
  npm start                                     install, run recipes/quick.json, print the table
  npx secpi up                                  the stack in the foreground
  npx secpi validate recipes/quick.json
  npx secpi run recipes/quick.json --detach     on the running stack, or on your cluster
  npx secpi runs                                what runs and ran

Your own servers, instead of the embedded ones:
  TEMPORAL_ADDRESS (or a profile of the Temporal CLI), TEMPORAL_NAMESPACE
  AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, SECPI_BUCKET

Places: SECPI_STATE (default .secpi in the project; installed as a package ~/.local/state/secpi),
  SECPI_CACHE (default ~/.cache/secpi), SECPI_PYTHON

Exit codes: 0 done · 1 the run failed · 2 bad input · 3 trouble with the stack or the cluster · 130 interrupted`,
    );
  for (const [heading, register] of groups) register(program.commandsGroup(heading));
  return program;
}

function registerCompletions(program: Command): void {
  program
    .command('completions')
    .description('print the completions of a shell')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .addHelpText(
      'after',
      examples([
        'npx secpi completions bash >> ~/.bashrc',
        'npx secpi completions zsh > ~/.zfunc/_secpi          with ~/.zfunc in fpath',
        'npx secpi completions fish > ~/.config/fish/completions/secpi.fish',
      ]),
    )
    .action(
      async (shell: Shell) =>
        await finish(async () => (await import('../completions/print.ts')).printCompletions(program, shell)),
    );
}
