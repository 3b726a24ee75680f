/**
 * Azure: Scheduled Events of the types Preempt (a Spot VM is evicted, at least 30 seconds ahead) and Terminate (it is
 * deleted). Events of a whole scale set reach each of its VMs: only those that name this one count. They are not
 * acknowledged, since that would shorten the time that is left.
 * https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
 */
import { z } from 'zod';
import { ask, expectStatus, type NoticeSource } from './source.ts';

/** "We recommend that you poll the service once per second." */
const EVERY_MS = 1000;
const TIMEOUT_MS = 4000;
/** "You should expect a delayed response in your first call of up to two minutes." */
const EVENTS_TIMEOUT_MS = 130_000;
const HEADERS = { Metadata: 'true' };

const eventSchema = z.object({
  EventId: z.string(),
  EventType: z.string(),
  EventStatus: z.string(),
  Resources: z.array(z.string()),
  /** Blank once the event has started. */
  NotBefore: z.string(),
});
type ScheduledEvent = z.infer<typeof eventSchema>;
const documentSchema = z.object({ Events: z.array(eventSchema) });

export function azureSource(metadataUrl: string): NoticeSource {
  let name: string | null = null;

  async function ownName(signal: AbortSignal): Promise<string> {
    const url = `${metadataUrl}/metadata/instance/compute/name?api-version=2021-02-01&format=text`;
    const answer = await ask(url, { headers: HEADERS, timeoutMs: TIMEOUT_MS, signal });
    return expectStatus(url, answer, 200).trim();
  }

  return {
    name: 'azure',
    everyMs: EVERY_MS,
    isHere: async (signal) => {
      name = await ownName(signal);
      return name !== '' && !/\s|</.test(name);
    },
    look: async (signal) => {
      name ??= await ownName(signal);
      const url = `${metadataUrl}/metadata/scheduledevents?api-version=2020-07-01`;
      const answer = await ask(url, { headers: HEADERS, timeoutMs: EVENTS_TIMEOUT_MS, signal });
      const { Events } = documentSchema.parse(JSON.parse(expectStatus(url, answer, 200)));
      const own = Events.filter(({ Resources }) => Resources.some((resource) => isNamed(resource, name)));
      const end = own.find(({ EventType }) => EventType === 'Preempt' || EventType === 'Terminate');
      if (end !== undefined)
        return { notice: { from: 'azure', reason: end.EventType, deadlineMs: startOf(end) }, hint: null };
      const interruption = own.find(({ EventType }) => EventType === 'Reboot' || EventType === 'Redeploy');
      const hint =
        interruption === undefined
          ? null
          : `${interruption.EventType} of this machine not before ${interruption.NotBefore || 'now'}`;
      return { notice: null, hint };
    },
  };
}

/** Resource names differ in case between the two services. */
function isNamed(resource: string, name: string | null): boolean {
  return resource.toLowerCase() === name?.toLowerCase();
}

/** Milliseconds since the epoch; now, when it has started. Throws when it is no time. */
function startOf({ EventStatus, NotBefore }: ScheduledEvent): number {
  if (EventStatus === 'Started' || NotBefore === '') return Date.now();
  const at = Date.parse(NotBefore);
  if (Number.isNaN(at)) throw new Error(`"${NotBefore}" is no time`);
  return at;
}
