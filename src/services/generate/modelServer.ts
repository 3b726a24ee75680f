/** An OpenAI-compatible endpoint for a local model, started for a generation and stopped with it. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import { startPython } from '../train/pythonProcess.ts';

const OWN_READY_WITHIN_MS = 5 * 60_000;
/** Weights of a large model load for long. */
const VLLM_READY_WITHIN_MS = 30 * 60_000;
const STOP_GRACE_MS = 2000;
/** vLLM is ended by its launcher, which gives it ten seconds to free the GPU. */
const VLLM_STOP_GRACE_MS = 25_000;

const serverEventSchema = z.discriminatedUnion('event', [
  z.looseObject({ event: z.literal('ready'), port: z.int(), model: z.string() }),
  z.looseObject({ event: z.literal('error'), code: z.string(), message: z.string() }),
]);

export interface ModelServer {
  readonly baseUrl: string;
  readonly model: string;
  /** Rejects with SERVER_CRASHED when the process ends before `stop`. */
  readonly crashed: Promise<never>;
  stop(): Promise<void>;
}

/** The project's own server, or vLLM in an environment of its own. */
export type ServerEngine =
  | { readonly kind: 'own'; readonly maxBatch: number }
  | { readonly kind: 'vllm'; readonly command: string; readonly arguments: readonly string[] };

export interface ModelServerOptions {
  readonly engine: ServerEngine;
  readonly pythonPath: string;
  readonly pythonEnv: Readonly<Record<string, string>>;
  readonly modelDir: string;
  readonly workDir: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/** Throws SERVER_CRASHED with the end of its log. */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const server = await startPython({
    pythonPath: options.pythonPath,
    args: ['-m', 'secpi_trainer', ...commandOf(options)],
    cwd: options.workDir,
    env: options.pythonEnv,
    logFile: options.logFile,
    eventSchema: serverEventSchema,
  });
  const isOwn = options.engine.kind === 'own';
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    await server.stop(isOwn ? STOP_GRACE_MS : VLLM_STOP_GRACE_MS);
  };
  const crashed = server.exited.then(async ({ code, signal }): Promise<never> => {
    if (stopping) return await new Promise<never>(() => undefined);
    throw new SecpiError(
      'SERVER_CRASHED',
      `the model server ended with ${signal ?? `exit code ${code}`}. Its log ends: ${await server.logTail()}`,
    );
  });
  crashed.catch(() => undefined); // whoever races against it sees it
  try {
    const first = await Promise.race([
      firstEvent(server.events),
      crashed,
      aborted(options.signal),
      tooLate(isOwn ? OWN_READY_WITHIN_MS : VLLM_READY_WITHIN_MS),
    ]);
    if (first.event === 'error') throw new SecpiError('SERVER_CRASHED', first.message);
    return { baseUrl: `http://127.0.0.1:${first.port}/v1`, model: first.model, crashed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function commandOf({ engine, modelDir }: ModelServerOptions): string[] {
  return engine.kind === 'own'
    ? ['serve', '--model', modelDir, '--port', '0', '--max-batch', String(engine.maxBatch)]
    : ['serve-with', '--command', engine.command, '--model', modelDir, '--', ...engine.arguments];
}

async function firstEvent<T>(events: AsyncIterable<T>): Promise<T> {
  const { value, done } = await events[Symbol.asyncIterator]().next();
  if (done === true)
    throw new SecpiError('SERVER_CRASHED', 'the model server closed its output before it was ready.');
  return value;
}

async function tooLate(withinMs: number): Promise<never> {
  await delay(withinMs, undefined, { ref: false });
  throw new SecpiError('SERVER_CRASHED', `the model server was not ready within ${withinMs / 1000} s.`);
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_, reject) => {
    const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
