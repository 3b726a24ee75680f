/** What the Python trainer says on its standard output, one JSON object a line. See trainer/DESIGN.md. */
import { z } from 'zod';

const stepNumber = z.int().nonnegative();

export const trainerEventSchema = z.discriminatedUnion('event', [
  z.looseObject({
    event: z.literal('started'),
    totalSteps: stepNumber,
    trainRows: z.int(),
    evalRows: z.int(),
    droppedRows: z.int(),
    truncatedRows: z.int(),
    trainTokens: z.int(),
    device: z.string(),
    precision: z.string(),
    resumedFromStep: stepNumber.nullable(),
    versions: z.record(z.string(), z.string()),
  }),
  z.looseObject({
    event: z.literal('step'),
    step: stepNumber,
    /** Null when it is not finite; an error follows. */
    loss: z.number().nullable(),
    learningRate: z.number(),
    tokens: z.number(),
    seconds: z.number(),
  }),
  z.looseObject({ event: z.literal('evaluated'), step: stepNumber, evalLoss: z.number().nullable() }),
  z.looseObject({ event: z.literal('checkpoint'), step: stepNumber, dir: z.string(), seconds: z.number() }),
  z.looseObject({
    event: z.literal('finished'),
    step: stepNumber,
    adapterDir: z.string(),
    mergedDir: z.string(),
    evalLossBefore: z.number().nullable(),
    evalLossAfter: z.number().nullable(),
    logitsMaxAbsDiff: z.number(),
    lossCurve: z.array(z.looseObject({ step: stepNumber, loss: z.number() })),
  }),
  z.looseObject({
    event: z.literal('error'),
    code: z.string(),
    field: z.string().nullish(),
    message: z.string(),
    remedy: z.string().nullish(),
  }),
]);
export type TrainerEvent = z.infer<typeof trainerEventSchema>;
export type FinishedEvent = Extract<TrainerEvent, { event: 'finished' }>;
export type StartedEvent = Extract<TrainerEvent, { event: 'started' }>;

/** The trainer saved and left because it was told to (SIGTERM). */
export const EXIT_PREEMPTED = 75;
