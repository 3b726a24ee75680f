/**
 * What the Python trainer says on its standard output, one JSON object a line. See trainer/DESIGN.md. Strict about what
 * is read here, loose about the rest.
 */
import { z } from 'zod';

const stepNumber = z.int().nonnegative();
const loss = z.number().nullable();

export const trainerEventSchema = z.discriminatedUnion('event', [
  z.looseObject({
    event: z.literal('started'),
    totalSteps: stepNumber,
    trainRows: z.int(),
    evalRows: z.int(),
    guardRows: z.int(),
    droppedRows: z.int(),
    truncatedRows: z.int(),
    trainTokens: z.int(),
    /** Null without packing. */
    packedSequences: z.int().nullable(),
    trainableParameters: z.int(),
    microBatchRows: z.int(),
    learningRateScale: z.number(),
    device: z.string(),
    /** Name, null on a CPU. */
    gpu: z.string().nullable(),
    precision: z.string(),
    attention: z.string(),
    /** Forward and backward of a trained token; what is computed twice is not counted. */
    flopsPerToken: z.number(),
    /** bf16 peak of the GPU; null when unknown. */
    peakFlops: z.number().nullable(),
    resumedFromStep: stepNumber.nullable(),
    importSeconds: z.number(),
    loadSeconds: z.number(),
    versions: z.record(z.string(), z.string()),
  }),
  z.looseObject({
    event: z.literal('step'),
    step: stepNumber,
    /** Null when it is not finite; an error follows. */
    loss,
    learningRate: z.number(),
    tokens: z.number(),
    seconds: z.number(),
    peakShare: z.number().nullable(),
  }),
  z.looseObject({
    event: z.literal('evaluated'),
    step: stepNumber,
    evalLoss: loss,
    guardLoss: loss,
  }),
  z.looseObject({
    event: z.literal('diverging'),
    step: stepNumber,
    loss,
    median: z.number(),
    spikes: z.int(),
  }),
  z.looseObject({ event: z.literal('saving'), step: stepNumber }),
  z.looseObject({
    event: z.literal('checkpoint'),
    step: stepNumber,
    dir: z.string(),
    files: z.array(z.looseObject({ path: z.string(), bytes: z.int() })),
    seconds: z.number(),
    /** Of exactly this step; null where it was not measured. */
    evalLoss: loss,
    /** The last step: only the export is left. */
    final: z.boolean(),
  }),
  z.looseObject({
    event: z.literal('finished'),
    step: stepNumber,
    /** The step whose weights were exported. */
    exportedStep: stepNumber,
    /** Null with method "full". */
    adapterDir: z.string().nullable(),
    mergedDir: z.string(),
    /** metrics.jsonl and TensorBoard files. */
    metricsDir: z.string(),
    evalLossBefore: loss,
    evalLossAfter: loss,
    guardLossBefore: loss,
    guardLossAfter: loss,
    logitsMaxAbsDiff: z.number().nullable(),
    lossCurve: z.array(z.looseObject({ step: stepNumber, loss: z.number() })),
    evalCurve: z.array(z.looseObject({ step: stepNumber, evalLoss: loss, guardLoss: loss })),
  }),
  z.looseObject({
    event: z.literal('error'),
    code: z.string(),
    field: z.string().nullish(),
    message: z.string(),
    remedy: z.string().nullish(),
  }),
  /** The last line of every ending that Python still controls. */
  z.looseObject({ event: z.literal('ended'), exitCode: z.int() }),
]);
export type TrainerEvent = z.infer<typeof trainerEventSchema>;

/** Events of other names are of no interest here. */
export const trainerEventNames: ReadonlySet<string> = new Set(
  trainerEventSchema.options.map(({ shape }) => shape.event.value),
);
export type FinishedEvent = Extract<TrainerEvent, { event: 'finished' }>;
export type StartedEvent = Extract<TrainerEvent, { event: 'started' }>;
export type StepEvent = Extract<TrainerEvent, { event: 'step' }>;
export type CheckpointEvent = Extract<TrainerEvent, { event: 'checkpoint' }>;
export type ErrorEvent = Extract<TrainerEvent, { event: 'error' }>;

/** The trainer saved and left because it was told to (SIGTERM). */
export const EXIT_SAVED = 75;
