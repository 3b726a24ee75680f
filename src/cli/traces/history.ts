/** What a run's history says of the artefact it works on: known as soon as the stage was opened, however the run ends. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { z } from 'zod';
import { sha256Schema } from '../../contract/refs.ts';
import { stageResultSchema } from '../../contract/workflows.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

export type OpenedData =
  | { readonly status: 'published'; readonly uri: string }
  | {
      readonly status: 'owned';
      readonly kind: 'dataset' | 'filter' | 'traces';
      readonly fingerprint: string;
      /** Uri of the artefact whose rows are worked on. */
      readonly input: string | null;
    };

const EVENTS_PER_PAGE = 200;

const opening = {
  openFilter: {
    kind: 'filter',
    inputSchema: z.object({ dataset: z.string() }).transform(({ dataset }) => dataset),
  },
  openTraces: {
    kind: 'traces',
    inputSchema: z.object({ filtered: z.string() }).transform(({ filtered }) => filtered),
  },
} as const;

const openedSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('published'), result: stageResultSchema }),
  z.object({ status: z.literal('owned'), fingerprint: sha256Schema }),
]);

/** What `openFilter` or `openTraces` answered; null when the run has not come so far. Reads no further than that. */
export async function openedStageOf(client: Client, run: Execution): Promise<OpenedData | null> {
  const scheduled = new Map<string, { readonly kind: 'filter' | 'traces'; readonly input: string }>();
  for await (const event of historyOf(client, run)) {
    const begun = event.activityTaskScheduledEventAttributes;
    const name = begun?.activityType?.name;
    if (name === 'openFilter' || name === 'openTraces') {
      const { kind, inputSchema } = opening[name];
      const input = inputSchema.parse(decode(begun?.input?.payloads?.[0]));
      scheduled.set(String(event.eventId), { kind, input });
    }
    const done = event.activityTaskCompletedEventAttributes;
    const of = scheduled.get(String(done?.scheduledEventId));
    if (of === undefined) continue;
    const opened = openedSchema.parse(decode(done?.result?.payloads?.[0]));
    return opened.status === 'published'
      ? { status: 'published', uri: opened.result.artifact.uri }
      : { status: 'owned', fingerprint: opened.fingerprint, ...of };
  }
  return null;
}

/** The first runs of the children, by workflow id; of one that was started again the last. */
export async function childrenOf(client: Client, run: Execution): Promise<ReadonlyMap<string, Execution>> {
  const children = new Map<string, Execution>();
  for await (const { childWorkflowExecutionStartedEventAttributes: started } of historyOf(client, run)) {
    const { workflowId, runId } = started?.workflowExecution ?? {};
    if (workflowId && runId) children.set(workflowId, { workflowId, runId });
  }
  return children;
}

async function* historyOf(client: Client, { workflowId, runId }: Execution): AsyncGenerator<HistoryEvent> {
  let nextPageToken: Uint8Array | null = null;
  do {
    const page: temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse =
      await client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId, runId },
        maximumPageSize: EVENTS_PER_PAGE,
        ...(nextPageToken === null ? {} : { nextPageToken }),
      });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken ?? null;
  } while (nextPageToken !== null && nextPageToken.length > 0);
}

function decode(payload: temporal.api.common.v1.IPayload | undefined): unknown {
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
}
