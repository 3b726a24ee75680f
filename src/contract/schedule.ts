/** The file of a schedule: which workflow runs when, and what happens when it cannot. */
import { z } from 'zod';
import { SecpiError } from './errors.ts';
import { workflowInputSchemas } from './inputs.ts';
import { parseInput, parseRecipe } from './parse.ts';
import { parseExperiment, type WorkflowType } from './workflows.ts';

/** Workflows that mean something again and again. */
export const scheduledWorkflows = [
  'reevaluate',
  'refreshData',
  'secpi',
  'experiment',
] as const satisfies readonly WorkflowType[];
export type ScheduledWorkflow = (typeof scheduledWorkflows)[number];

/** What happens at a time at which the run before still goes; as Temporal calls them. */
export const overlapNames = [
  'skip',
  'bufferOne',
  'bufferAll',
  'cancelOther',
  'terminateOther',
  'allowAll',
] as const;
export type OverlapName = (typeof overlapNames)[number];

const cronExpression = z
  .string()
  .max(256)
  .regex(
    /^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every \S+|\S+(?: +\S+){4,6})$/u,
    'must be minute, hour, day of month, month, day of week (e.g. "30 2 * * *"), or @daily and the like',
  )
  .refine((text) => !/^(?:CRON_)?TZ=/u.test(text), 'must not name a time zone; give it as timeZone');

export const scheduleFileSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  /** Name of the schedule; its runs are called ID-<time>. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u, 'must be letters, digits, ".", "_", "-" (at most 128)'),
  workflow: z.enum(scheduledWorkflows),
  /** In `timeZone`; several are a union. */
  cron: z.array(cronExpression).min(1).max(32),
  /** IANA name, e.g. `Europe/Berlin`: a night stays a night when the clocks change. */
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'must be the IANA name of a time zone, e.g. "UTC" or "Europe/Berlin"')
    .default('UTC'),
  /** Each time is put off by a random part of this, so that not everything starts on the hour. */
  jitterMinutes: z.number().min(0).max(1440).default(10),
  /** "skip": the time is left out while the run before still goes, and is counted as skipped. */
  overlap: z.enum(overlapNames).default('skip'),
  /** After an outage of Temporal, times missed within this are made up for; what is older stays missed. */
  catchUpHours: z.number().min(0.01).max(8760).default(12),
  /** A failed run pauses the schedule until a person resumes it; a night that finds a regression has not failed. */
  pauseOnFailure: z.boolean().default(true),
  /** Of the workflow. */
  input: z.looseObject({}),
});
export type ScheduleFile = z.infer<typeof scheduleFileSchema>;

/**
 * Parses the file and the input inside. The input is returned as it was written: each run parses it anew. Throws
 * RECIPE_INVALID (fields of the input as `input.…`) or SECRET_IN_INPUT.
 */
export function parseScheduleFile(text: unknown): ScheduleFile {
  const file = parseInput(scheduleFileSchema, text);
  try {
    parseScheduled(file.workflow, file.input);
  } catch (error) {
    if (!(error instanceof SecpiError)) throw error;
    throw new SecpiError(error.code, error.problem, {
      field: error.field === undefined ? 'input' : `input.${error.field}`,
      remedy: `Correct the field; \`npx secpi validate --type ${file.workflow}\` checks an input alone.`,
      cause: error,
    });
  }
  return file;
}

function parseScheduled(workflow: ScheduledWorkflow, input: unknown): unknown {
  switch (workflow) {
    case 'secpi':
      return parseRecipe(input);
    case 'experiment':
      return parseExperiment(input);
    case 'reevaluate':
    case 'refreshData':
      return parseInput(workflowInputSchemas[workflow], input);
  }
}

/** Offsets such as +02:00 know nothing of clocks that change, and Temporal takes none. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/u.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
