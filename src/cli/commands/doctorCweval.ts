/** `secpi doctor cweval`: whether CWEval's six languages can be graded on this machine, and what to install. */
import { describeCweval } from '../../services/benchmarks/cweval/index.ts';
import { createSandbox, stageToolchain } from '../../services/sandbox/index.ts';
import { complain, exitCodes } from '../exit.ts';
import { readSettings } from '../settings.ts';
import { locateTools } from '../tools.ts';

export async function doctorCweval(): Promise<number> {
  const settings = readSettings(process.env);
  const tools = locateTools(settings.root, settings.env);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const toolchain = await stageToolchain({ cacheDir: tools.cache, pip: [tools.python, '-m', 'pip'] });
    const sandbox = await createSandbox({ toolchain });
    say(
      'Looking at the checkout and the tools; the first time a cache of Go is filled, which takes minutes …',
    );
    const { facts, problems, gradable, tasks } = await describeCweval({
      home: undefined,
      environment: settings.env,
      sandbox,
      toolchain,
    });
    for (const fact of facts) say(`· ${fact}`);
    for (const { problem, remedy } of problems) say(`✗ ${problem}\n  ${remedy}`);
    say(`${gradable === tasks ? '✓' : '✗'} ${gradable} of ${tasks} tasks can be graded here`);
    return gradable === tasks ? exitCodes.ok : exitCodes.stackTrouble;
  } catch (error) {
    say(`✗ ${complain(error).text.replaceAll('\n', '\n  ')}`);
    return exitCodes.stackTrouble;
  }
}
