/**
 * EC2: the interruption notice of a Spot instance (two minutes ahead, as a rule) and the rebalance recommendation,
 * by the instance metadata service in version 2.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
 */
import { z } from 'zod';
import { ask, expectStatus, type Answer, type NoticeSource } from './source.ts';

/** "We recommend that you check for these interruption notices every 5 seconds." */
const EVERY_MS = 5000;
const TIMEOUT_MS = 4000;
const TOKEN_SECONDS = 21_600;
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';

const interruptionSchema = z.object({
  action: z.enum(['hibernate', 'stop', 'terminate']),
  time: z.iso.datetime(),
});
const rebalanceSchema = z.object({ noticeTime: z.iso.datetime() });

export function awsSource(metadataUrl: string): NoticeSource {
  let token: string | null = null;

  async function newToken(signal: AbortSignal): Promise<string> {
    const url = `${metadataUrl}/latest/api/token`;
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) };
    const answer = await ask(url, { method: 'PUT', headers, timeoutMs: TIMEOUT_MS, signal });
    const text = expectStatus(url, answer, 200);
    // It goes into a header: what could not be one is no token.
    if (!/^[\w+/=-]{1,512}$/.test(text)) throw new Error(`${url} answered no token`);
    return text;
  }

  async function read(path: string, signal: AbortSignal): Promise<Answer> {
    token ??= await newToken(signal);
    const url = `${metadataUrl}/latest/meta-data/${path}`;
    const answer = await ask(url, { headers: { [TOKEN_HEADER]: token }, timeoutMs: TIMEOUT_MS, signal });
    // It has expired: the next look takes a new one.
    if (answer.status === 401) token = null;
    return answer;
  }

  /** 404 is the usual answer: nothing is planned. */
  async function readIfThere<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | null> {
    const answer = await read(path, signal);
    return answer.status === 404 ? null : schema.parse(JSON.parse(expectStatus(path, answer, 200)));
  }

  return {
    name: 'aws',
    everyMs: EVERY_MS,
    isHere: async (signal) => {
      token = await newToken(signal);
      return (await read('instance-id', signal)).text.startsWith('i-');
    },
    look: async (signal) => {
      const interruption = await readIfThere('spot/instance-action', interruptionSchema, signal);
      if (interruption !== null) {
        const { action, time } = interruption;
        return { notice: { from: 'aws', reason: action, deadlineMs: Date.parse(time) }, hint: null };
      }
      const rebalance = await readIfThere('events/recommendations/rebalance', rebalanceSchema, signal);
      const hint =
        rebalance === null ? null : `rebalance recommended at ${rebalance.noticeTime}: the risk is elevated`;
      return { notice: null, hint };
    },
  };
}
