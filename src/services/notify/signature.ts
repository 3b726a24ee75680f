/**
 * The signature of a webhook: HMAC-SHA256 over "t.body", in the form `t=<unix seconds>,v1=<lower-case hex>`. The time is
 * signed too, so that a receiver can refuse what is old; a receiver must compare in constant time. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'secpi-signature';

export function sign(secret: string, body: string, unixSeconds: number): string {
  return `t=${unixSeconds},v1=${digest(secret, body, unixSeconds)}`;
}

/** As a receiver checks it: right, and at most `toleranceSeconds` away from its own clock. */
export function isSignedBy(
  secret: string,
  body: string,
  header: string,
  {
    unixSeconds,
    toleranceSeconds = 300,
  }: { readonly unixSeconds: number; readonly toleranceSeconds?: number },
): boolean {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/u.exec(header);
  const [signedAt, hex] = [Number(match?.[1]), match?.[2]];
  if (hex === undefined || Math.abs(unixSeconds - signedAt) > toleranceSeconds) return false;
  return timingSafeEqual(Buffer.from(hex), Buffer.from(digest(secret, body, signedAt)));
}

function digest(secret: string, body: string, unixSeconds: number): string {
  return createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex');
}
