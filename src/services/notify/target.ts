/** Where a notification goes: an address and a secret out of the worker's environment, which nobody else gets to see. */
import { SecpiError } from '../../contract/errors.ts';

export interface TargetNames {
  /** Variable that holds the address; the address of a Slack webhook is a secret itself. */
  readonly urlEnv: string;
  /** Variable that holds the secret of the signature. */
  readonly secretEnv?: string | undefined;
}

export interface Target {
  readonly url: URL;
  /** Null: unsigned. */
  readonly secret: string | null;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Throws NOTIFY_REFUSED, which names the variable and never shows its value. */
export function readTarget(
  { urlEnv, secretEnv }: TargetNames,
  environment: Readonly<Record<string, string | undefined>>,
): Target {
  const url = readUrl(urlEnv, environment[urlEnv]);
  if (secretEnv === undefined) return { url, secret: null };
  const secret = environment[secretEnv] ?? '';
  if (secret === '') throw unset(secretEnv);
  return { url, secret };
}

function readUrl(name: string, value: string | undefined): URL {
  if (value === undefined || value === '') throw unset(name);
  const url = URL.canParse(value) ? new URL(value) : null;
  const problem = problemOf(url);
  if (url !== null && problem === null) return url;
  throw new SecpiError('NOTIFY_REFUSED', `${name} ${problem}; its value is not shown.`, {
    remedy: `Set ${name} to an https address where the control worker runs, and restart it.`,
  });
}

function problemOf(url: URL | null): string | null {
  if (url === null) return 'is no address';
  if (url.username !== '' || url.password !== '') return 'holds a user name or a password';
  // Unencrypted, whoever is on the way could read the message and learn a secret address.
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname));
  return isSafe ? null : 'is neither https nor http to this machine';
}

function unset(name: string): SecpiError {
  return new SecpiError('NOTIFY_REFUSED', `the variable ${name} is not set on this worker.`, {
    remedy: `Set ${name} where the control worker runs, and restart it.`,
  });
}
