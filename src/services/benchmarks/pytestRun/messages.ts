/** What the tests' process reports: a JSON object a line, behind a key made for the run. */
import { z } from 'zod';

export const pytestMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('collected'),
    tests: z.array(
      z.strictObject({ id: z.string().min(1), mark: z.enum(['functionality', 'security', 'unmarked']) }),
    ),
  }),
  /** The test file could not be imported. */
  z.strictObject({ type: z.literal('broken'), why: z.string() }),
  z.strictObject({
    type: z.literal('test'),
    id: z.string().min(1),
    outcome: z.enum(['passed', 'failed', 'timeout', 'skipped']),
    callPassed: z.boolean(),
  }),
  /** pytest's exit status: 0 and 1 mean that it ran the tests, 5 that there were none. */
  z.strictObject({ type: z.literal('end'), status: z.int() }),
]);
export type PytestMessage = z.infer<typeof pytestMessageSchema>;
export type CollectedTest = Extract<PytestMessage, { type: 'collected' }>['tests'][number];
export type TestReport = Extract<PytestMessage, { type: 'test' }>;
