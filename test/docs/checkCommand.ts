/** Whether the programs take a command line as the docs show it: by their own parsers, with their work taken out. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { messageOf } from '../../src/contract/errors.ts';
import { parseScheduleFile } from '../../src/contract/schedule.ts';
import {
  approveUpdateName,
  budgetQueryName,
  checkpointNowUpdateName,
  pauseUpdateName,
  progressQueryName,
  queues,
  raiseBudgetUpdateName,
  resumeUpdateName,
  searchAttributes,
  stopEarlyUpdateName,
  workflowTypes,
  type WorkflowType,
} from '../../src/contract/workflows.ts';
import { createProgram } from '../../src/cli/program/index.ts';
import { parseWorkflowInput, readInputFile } from '../../src/cli/recipeFile.ts';
import { projectDir, pythonPath } from '../chain/stack.ts';
import { simpleCommands, withoutAssignments } from './shell.ts';

/** Programs that are not ours: nothing is checked but that they are meant. */
const FOREIGN = ['cat', 'cd', 'export', 'jq', 'python', 'tensorboard', 'vllm'];
const QUERIES: readonly string[] = [progressQueryName, budgetQueryName];
const UPDATES: readonly string[] = [
  approveUpdateName,
  checkpointNowUpdateName,
  pauseUpdateName,
  raiseBudgetUpdateName,
  resumeUpdateName,
  stopEarlyUpdateName,
];

/** `span`: a piece of a sentence, where names in capitals are the reader's and the rest of the line may be left out. */
export type Place = 'fence' | 'span';

/** Null when every program of the line takes it; else why not. */
export async function problemOf(line: string, place: Place): Promise<string | null> {
  try {
    for (const words of simpleCommands(line)) await check(withoutAssignments(words), place);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

async function check([program = '', ...args]: readonly string[], place: Place): Promise<void> {
  if (program === 'npx' && args[0] === 'secpi') await checkSecpi(args.slice(1), place);
  else if (program === 'temporal') await checkTemporal(args, place);
  else if (program === 'npm') await checkNpm(args);
  else demand(FOREIGN.includes(program), `${program} is none of the programs that the docs may show`);
}

function demand(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}

async function checkNpm([name = '', script = '']: readonly string[]): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(projectDir, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const wanted = name === 'run' ? script : name;
  demand(Object.hasOwn(scripts, wanted), `package.json has no script ${wanted}`);
}

async function checkSecpi(args: readonly string[], place: Place): Promise<void> {
  const program = createProgram();
  for (const command of allCommands(program)) {
    command
      .exitOverride((error) => {
        throw error;
      })
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .action(() => undefined);
  }
  const shown =
    place === 'span' ? args.map((arg) => (arg === 'TYPE' ? 'secpi' : arg)).map(lowerCapitals) : args;
  try {
    await program.parseAsync([...shown], { from: 'user' });
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
    const isName = place === 'span' && code === 'commander.missingArgument';
    if (code !== 'commander.helpDisplayed' && !isName) throw error;
  }
  if (place === 'span') return;
  for (const file of args.filter((arg) => /^recipes\/.*\.json$/u.test(arg))) {
    const input = await readInputFile(join(projectDir, file));
    if (args[0] === 'schedule') parseScheduleFile(input);
    else parseWorkflowInput(typeOf(valueOf(args, '--type') ?? 'secpi'), input);
  }
}

/** Names of registries and files must be lower case; what stands for one in a sentence is not. */
function lowerCapitals(word: string): string {
  return /^[A-Z]+$/u.test(word) ? word.toLowerCase() : word;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((inner) => allCommands(inner))];
}

async function checkTemporal(args: readonly string[], place: Place): Promise<void> {
  const firstFlag = args.findIndex((arg) => arg.startsWith('-'));
  const path = firstFlag === -1 ? args : args.slice(0, firstFlag);
  const known = new Set([...(await flagsOf(path)), ...(await flagsOf([]))]);
  for (const arg of args.filter((word) => /^--?[a-z]/u.test(word))) {
    const [flag = ''] = arg.split('=');
    demand(known.has(flag), `temporal ${path.join(' ')} knows no ${flag}`);
  }
  if (place === 'fence') await checkMeaning(path.join(' '), args);
}

/** Names of ours that the Temporal CLI would take whatever they are. */
async function checkMeaning(command: string, args: readonly string[]): Promise<void> {
  const type = valueOf(args, '--type') ?? '';
  const name = valueOf(args, '--name') ?? '';
  if (command === 'workflow query') demand(QUERIES.includes(type), `there is no query ${type}`);
  if (command === 'workflow update execute') demand(UPDATES.includes(name), `there is no update ${name}`);
  if (command === 'workflow start' || command === 'schedule create') {
    demand(valueOf(args, '--task-queue') === queues.control, `the queue of workflows is ${queues.control}`);
    const workflow = typeOf(type);
    const file = valueOf(args, '--input-file');
    if (file !== undefined) parseWorkflowInput(workflow, await readInputFile(join(projectDir, file)));
  }
  for (const [attribute] of (valueOf(args, '--query') ?? '').matchAll(/\bSecpi\w+/gu))
    demand(Object.hasOwn(searchAttributes, attribute), `there is no search attribute ${attribute}`);
}

const flagsByCommand = new Map<string, Promise<readonly string[]>>();

/** As the command's help lists them; a command that is not there has none but `--help` of the one above it. */
async function flagsOf(path: readonly string[]): Promise<readonly string[]> {
  const key = path.join(' ');
  const known = flagsByCommand.get(key) ?? readFlags(path);
  flagsByCommand.set(key, known);
  return await known;
}

async function readFlags(path: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(join(dirname(pythonPath()), 'temporal'), [...path, '--help']);
  demand(
    path.length === 0 || stdout.includes(`temporal ${path.join(' ')} [flags]`),
    `there is no command temporal ${path.join(' ')}`,
  );
  return [...stdout.matchAll(/^\s+(?:(-\w), )?(--[\w-]+)/gmu)].flatMap(([, short, long]) =>
    [short, long].filter((flag) => flag !== undefined),
  );
}

function valueOf(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at === -1 ? undefined : args[at + 1];
}

function typeOf(text: string): WorkflowType {
  const type = workflowTypes.find((name) => name === text);
  if (type === undefined) throw new Error(`"${text}" is no workflow type`);
  return type;
}
