/** Upstream's own way from a reply to a program, kept running in one sandbox: it handles text and runs nothing. */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { SecpiError } from '../../../contract/errors.ts';
import {
  tailOf,
  unavailable,
  type Sandbox,
  type SandboxEnd,
  type SandboxProcess,
  type Toolchain,
} from '../../sandbox/index.ts';
import type { CwevalCheckout } from './checkout.ts';
import { CHECKOUT_INSIDE, toolsToParse, wholeCheckout } from './inside.ts';
import type { CwevalTools } from './tools.ts';
import { generousLimits, SHIMS_INSIDE, stageShims } from './upstreamRuns.ts';

export interface ParseRequest {
  /** Where upstream would read the reply, e.g. core/py/cwe_020_0_raw.py. */
  readonly raw: string;
  readonly reply: string;
  /** What the strict way took out of it. */
  readonly code: string | null;
}

/** Whole files: with the entry point and the headers that upstream adds. */
export interface ParsedReply {
  readonly upstream: string;
  readonly strict: string | null;
}

export interface ReplyParser {
  /** @throws SecpiError BENCHMARK_UNAVAILABLE where upstream's code raises; SANDBOX_UNAVAILABLE. */
  parse(request: ParseRequest): Promise<ParsedReply>;
  close(): Promise<void>;
}

const answerSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({
    id: z.int(),
    upstream: z.string().nullable(),
    strict: z.string().nullable(),
    error: z.string().nullable(),
  }),
]);
type Answer = Extract<z.infer<typeof answerSchema>, { id: number }>;

export interface ParserOptions {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly checkout: CwevalCheckout;
  readonly tools: CwevalTools;
}

/** As long as a timer of Node can wait, 24 days: it lives as long as its driver. */
const LIFE_MS = 2 ** 31 - 1;

export function createReplyParser(options: ParserOptions): ReplyParser {
  let session: Promise<Session> | null = null;
  let count = 0;
  const open = (): Promise<Session> => {
    const started = startSession(options);
    session = started;
    const forget = (): void => {
      if (session === started) session = null;
    };
    started.then(({ ended }) => ended.then(forget), forget);
    return started;
  };
  return {
    parse: async (request) => {
      const current = await (session ?? open());
      count += 1;
      const answer = await current.ask(count, request);
      if (answer.upstream !== null) return { upstream: answer.upstream, strict: answer.strict };
      throw broken(`upstream's parser failed on a reply to ${request.raw}: ${answer.error ?? ''}`);
    },
    close: async () => {
      await (await session)?.close();
    },
  };
}

interface Session {
  readonly ended: Promise<void>;
  ask(id: number, request: ParseRequest): Promise<Answer>;
  close(): Promise<void>;
}

async function startSession({ sandbox, toolchain, checkout, tools }: ParserOptions): Promise<Session> {
  const { readOnly, env } = toolsToParse(tools);
  const shims = await stageShims(toolchain);
  const running = await sandbox.start({
    command: [
      tools.python?.path ?? toolchain.python,
      '-I',
      '-B',
      `${SHIMS_INSIDE}/parse_replies.py`,
      CHECKOUT_INSIDE,
    ],
    readOnly: [shims, ...wholeCheckout(checkout), ...readOnly],
    env,
    limits: {
      ...generousLimits,
      wallMs: LIFE_MS,
      cpuSeconds: 10_000_000,
      outputBytes: Number.MAX_SAFE_INTEGER,
      memoryBytes: 2048 * 1024 ** 2,
    },
  });
  return converse(running);
}

function converse(running: SandboxProcess): Session {
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let log = '';
  running.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-2000);
  });
  running.stdin.on('error', () => {}); // how it ended is told by `done`
  const lines = createInterface({ input: running.stdout, crlfDelay: Infinity });
  lines.on('line', (line) => {
    const answer = answerSchema.parse(JSON.parse(line));
    if ('ready' in answer) return;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  let gone: Error | null = null;
  const tellEnd = (end: SandboxEnd): void => {
    gone =
      end.outcome === 'failedToStart'
        ? unavailable(end)
        : broken(`upstream's parser ended (${end.outcome}): ${tailOf(log.trim(), 600)}`);
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  const ended = running.done.then(tellEnd);
  return {
    ended,
    ask: (id, request) =>
      new Promise((resolve, reject) => {
        if (gone !== null) {
          reject(gone);
          return;
        }
        waiting.set(id, { resolve, reject });
        running.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
      }),
    close: async () => {
      running.stdin.end();
      running.kill();
      await ended;
    },
  };
}

function broken(problem: string): SecpiError {
  return new SecpiError('BENCHMARK_UNAVAILABLE', problem, {
    field: 'CWEVAL_HOME',
    remedy: 'Take a checkout of CWEval as its authors publish it; this was made for e9a2a12.',
  });
}
