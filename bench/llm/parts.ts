/** What the measurements of the data engine share: prompts, the endpoint, one run of the client. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export interface Counts {
  readonly requests: number;
  readonly answered: number;
  readonly refused: number;
  readonly faults: number;
  readonly cutOff: number;
  readonly paidTwice: number;
  readonly maxInFlight: number;
  readonly distinct: number;
  readonly answersByTenth: readonly (number | null)[];
  /** Epoch milliseconds at which a request arrived while none was under way. */
  readonly firstAfterMs: readonly number[];
  readonly firstRequestMs: number;
  readonly lastAnswerMs: number;
}

export interface BenchEndpoint {
  readonly url: string;
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

export async function startEndpoint(
  options: Readonly<Record<string, string | number>> = {},
): Promise<BenchEndpoint> {
  const env = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
  const child = spawn(process.execPath, [here('endpoint.ts')], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const first = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const { url } = JSON.parse(String(first.value)) as { url: string };
  return {
    url,
    counts: async () => (await (await fetch(new URL('/counts', url))).json()) as Counts,
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Prompts of about 300 characters that no normalisation makes equal. */
export async function writePrompts(path: string, rows: number): Promise<void> {
  const lines = function* (): Generator<string> {
    for (let id = 0; id < rows; id += 1) {
      const words = Array.from({ length: 24 }, (_, at) => `w${((id + 1) * 2654435761 + at * 40503) % 99991}`);
      yield `${JSON.stringify({ id, prompt: `Task ${id}: write a function that handles ${words.join(' ')}.` })}\n`;
    }
  };
  await pipeline(lines, createWriteStream(path));
}

export interface ClientOptions {
  readonly url: string;
  readonly work: string;
  readonly prompts: string;
  readonly rows: number;
  readonly concurrency: number;
  readonly extra?: Readonly<Record<string, string>>;
}

/** The measured client in a process group of its own, so that a kill takes all of it. */
export function startClient({ url, work, prompts, rows, concurrency, extra }: ClientOptions): ChildProcess {
  return spawn(process.execPath, [here('client.ts')], {
    detached: true,
    env: {
      ...process.env,
      BASE_URL: url,
      OPENAI_API_KEY: 'bench',
      N: String(rows),
      CONC: String(concurrency),
      WORK: work,
      PROMPTS: prompts,
      ...extra,
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
}

/** Waits for its end; returns the last line of JSON that it wrote, its figures. Throws when it failed. */
export async function figuresOf(client: ChildProcess): Promise<Record<string, unknown>> {
  const lines: string[] = [];
  if (client.stderr !== null)
    for await (const line of createInterface({ input: client.stderr })) lines.push(line);
  if (client.exitCode === null && client.signalCode === null) await once(client, 'exit');
  const last = lines.findLast((line) => line.startsWith('{'));
  if (client.exitCode !== 0 || last === undefined) throw new Error(lines.slice(-20).join('\n'));
  return JSON.parse(last) as Record<string, unknown>;
}

/** Answers a second between the first and the last tenth of them. */
export function steadyRate(answersByTenth: readonly (number | null)[]): number {
  const counts = answersByTenth.map((count) => count ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  const inside = counts.filter((count) => {
    const before = sum;
    sum += count;
    return before >= total * 0.1 && sum <= total * 0.9;
  });
  return inside.length === 0
    ? Number.NaN
    : (10 * inside.reduce((all, count) => all + count, 0)) / inside.length;
}

export const bareLoop = here('bareLoop.ts');
