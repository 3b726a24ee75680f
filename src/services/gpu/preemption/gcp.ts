/**
 * Compute Engine: `instance/preempted` turns to TRUE when a Spot VM is taken away. No time is told: up to 30 seconds
 * are left, more where the VM was made with a preemption notice duration, which the grace period then tells.
 * https://cloud.google.com/compute/docs/instances/create-use-spot#detect-preemption
 * https://cloud.google.com/compute/docs/metadata/querying-metadata#waitforchange
 */
import { ask, expectStatus, type NoticeSource } from './source.ts';

const HEADERS = { 'Metadata-Flavor': 'Google' };
const TIMEOUT_MS = 4000;
/** One long request waits for the change, so a pause is only needed after trouble. */
const EVERY_MS = 1000;
/** How long the service is asked to wait for a change. */
const WAIT_SECONDS = 60;

export function gcpSource(metadataUrl: string, graceMs: number): NoticeSource {
  const url = `${metadataUrl}/computeMetadata/v1/instance/preempted`;
  /** Of the value that was seen last; a wait without it would miss a change that came before it began. */
  let etag = '';
  return {
    name: 'gcp',
    everyMs: EVERY_MS,
    isHere: async (signal) => {
      const answer = await ask(`${metadataUrl}/`, { headers: HEADERS, timeoutMs: TIMEOUT_MS, signal });
      return answer.header('metadata-flavor') === 'Google';
    },
    look: async (signal) => {
      const waiting = etag !== '';
      const wait = `?wait_for_change=true&timeout_sec=${WAIT_SECONDS}&last_etag=${encodeURIComponent(etag)}`;
      const answer = await ask(waiting ? url + wait : url, {
        headers: HEADERS,
        timeoutMs: TIMEOUT_MS + (waiting ? WAIT_SECONDS * 1000 : 0),
        signal,
      });
      // Whatever went wrong, the next look asks without waiting.
      etag = '';
      const value = expectStatus(url, answer, 200).trim();
      if (value !== 'TRUE' && value !== 'FALSE') throw new Error(`${url} answered neither TRUE nor FALSE`);
      etag = answer.header('etag');
      if (value === 'FALSE') return { notice: null, hint: null };
      return { notice: { from: 'gcp', reason: 'preempted', deadlineMs: Date.now() + graceMs }, hint: null };
    },
  };
}
