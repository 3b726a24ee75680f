/** The worker's command line: kinds, and what concerns GPU workers alone. */
import { parseArgs } from 'node:util';
import { SecpiError } from '../contract/errors.ts';
import { gpuSchema } from '../contract/recipe.ts';
import { queues, type WorkerKind } from '../contract/workflows.ts';

export interface WorkerArguments {
  readonly kinds: readonly WorkerKind[];
  /** The class of GPU workers that this one belongs to. */
  readonly gpuClass: string | undefined;
  /** Trainings and generations at a time; undefined: one a GPU. */
  readonly slots: number | undefined;
  /** The process ends after so many minutes without a task; undefined: never. */
  readonly idleExitMinutes: number | undefined;
}

const MAX_SLOTS = 64;

/** Throws RECIPE_INVALID naming the argument. */
export function parseWorkerArguments(args: readonly string[]): WorkerArguments {
  const { positionals, values } = parse(args);
  const known = Object.keys(queues);
  const isKind = (kind: string): kind is WorkerKind => known.includes(kind);
  const unknown = positionals.find((kind) => !isKind(kind));
  if (unknown !== undefined)
    throw invalid(
      'kinds',
      `"${unknown}" is not a kind of worker.`,
      `Name some of ${known.join(', ')}, or none for all.`,
    );
  const kinds = (positionals.length === 0 ? known : positionals).filter(isKind);
  const named = Object.keys(values)[0];
  if (named !== undefined && !kinds.includes('gpu'))
    throw invalid(`--${named}`, 'only a GPU worker has it.', `Start it as: secpi worker gpu --${named} …`);
  const { 'idle-exit': idleExit } = values;
  if (idleExit !== undefined && kinds.length > 1)
    throw invalid(
      '--idle-exit',
      'a worker of several kinds does not end by itself.',
      'Start the GPU worker alone: secpi worker gpu --idle-exit …',
    );
  return {
    kinds,
    gpuClass: classOf(values.class),
    slots: numberOf('--slots', values.slots, { max: MAX_SLOTS, whole: true }),
    idleExitMinutes: numberOf('--idle-exit', idleExit, { max: 100_000, whole: false }),
  };
}

function parse(args: readonly string[]): {
  positionals: string[];
  values: { class?: string; slots?: string; 'idle-exit'?: string };
} {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { class: { type: 'string' }, slots: { type: 'string' }, 'idle-exit': { type: 'string' } },
    });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw invalid('arguments', problem, 'See: npx secpi worker --help', cause);
  }
}

function classOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const parsed = gpuSchema.safeParse({ class: text });
  if (parsed.success) return parsed.data.class;
  throw invalid(
    '--class',
    `"${text}" is no name of a class.`,
    'Use lower case letters, digits, "." and "-" (at most 63).',
  );
}

function numberOf(
  name: string,
  text: string | undefined,
  { max, whole }: { readonly max: number; readonly whole: boolean },
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= max && (!whole || Number.isInteger(value))) return value;
  throw invalid(
    name,
    `"${text}" does not fit.`,
    `Give a ${whole ? 'whole ' : ''}number above 0, at most ${max}.`,
  );
}

function invalid(field: string, problem: string, remedy: string, cause?: unknown): SecpiError {
  return new SecpiError('RECIPE_INVALID', problem, { field, remedy, cause });
}
