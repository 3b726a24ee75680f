/** What a worker says: log lines for people on standard error, events for machines on standard output. */
import { inspect } from 'node:util';
import { redact } from '../contract/secrets.ts';

export function log(level: string, message: string, meta?: Record<string | symbol, unknown>): void {
  const text =
    meta === undefined
      ? ''
      : ` ${JSON.stringify(meta, (_, value: unknown) => (value instanceof Error ? inspect(value) : value))}`;
  process.stderr.write(`${redact(`${new Date().toISOString()} ${level} ${message}${text}`)}\n`);
}

/** One JSON line. */
export function say(event: string, fields: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${redact(JSON.stringify({ event, ...fields }))}\n`);
}
