/** `secpi validate RECIPE`: every problem with its field and remedy; for machines with --json. */
import { block, exitCodes } from '../exit.ts';
import type { InputKind } from '../inputKinds.ts';
import { nameOf, problemsOf, readInputFile } from '../recipeFile.ts';

export async function validate(
  path: string,
  options: { readonly json: boolean; readonly type: InputKind },
): Promise<number> {
  const problems = problemsOf(options.type, await readInputFile(path));
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ok: problems.length === 0, problems }, null, 2)}\n`);
  } else if (problems.length === 0) {
    process.stdout.write(`${path} is a valid ${nameOf(options.type)}.\n`);
  } else {
    const blocks = problems.map(({ code, field, problem, remedy }) => block(code, problem, remedy, field));
    process.stderr.write(`${blocks.join('\n\n')}\n`);
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.badInput;
}
