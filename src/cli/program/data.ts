/** Commands about the rows of a run: traces. */
import type { Command } from 'commander';
import { dataKinds } from '../../services/report/data/kinds.ts';
import type { TracesOptions } from '../commands/traces.ts';
import { several, severalCwes, severalKinds } from '../traces/arguments.ts';
import { finish, parseCount } from './arguments.ts';

export function registerData(program: Command): void {
  program
    .command('traces')
    .description('look at the rows of a run: verdicts, traces, rejections; search, count, export')
    .argument('<run>', 'a workflow id (secpi, filterDataset, distillTraces) or the uri of an artefact')
    .option(`--kind <kind>`, `only these: ${dataKinds.join(', ')}; several by comma`, severalKinds, [])
    .option(
      '--cwe <cwe>',
      'only with this weakness or its kin, or of a family (injection, …)',
      severalCwes,
      [],
    )
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
        await finish(async () => await (await import('../commands/traces.ts')).traces(run, options)),
    );
}
