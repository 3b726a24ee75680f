/** What crosses between the grader and the two sandboxes, a JSON object a line. Bodies are opaque here. */
import { z } from 'zod';

export const testKindSchema = z.enum(['functionality', 'security', 'unmarked']);

/** From the process of the tests: ours, trusted to report. */
export const testMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('collected'),
    tests: z.array(z.strictObject({ id: z.string().min(1), kind: testKindSchema })),
  }),
  z.strictObject({ type: z.literal('call'), id: z.int(), body: z.string() }),
  z.strictObject({ type: z.literal('test'), id: z.string().min(1), outcome: z.enum(['passed', 'failed']) }),
  z.strictObject({ type: z.literal('end'), status: z.int() }),
]);
export type TestMessage = z.infer<typeof testMessageSchema>;
export type CollectedTest = Extract<TestMessage, { type: 'collected' }>['tests'][number];
export type TestOutcome = Omit<Extract<TestMessage, { type: 'test' }>, 'type'>;

/** From the sample's process: hostile. */
export const sampleReplySchema = z.strictObject({ id: z.int(), body: z.string() });

/** The reply to `load`, the only body that the grader itself reads. */
export const loadReplySchema = z.object({
  error: z.object({ names: z.array(z.string()).max(50), message: z.string() }).optional(),
});
