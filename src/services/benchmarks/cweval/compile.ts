/** Builds a program by upstream's own function, in a sandbox that shows neither tasks nor references. */
import { tailOf, unavailable, type Sandbox, type Toolchain } from '../../sandbox/index.ts';
import type { CwevalCheckout } from './checkout.ts';
import { CHECKOUT_INSIDE, checkoutToCompile, pythonShown, toolsToCompile } from './inside.ts';
import type { Preparation } from './prepare.ts';
import type { CwevalTools } from './tools.ts';
import { generousLimits, SHIMS_INSIDE, stageShims } from './upstreamRuns.ts';

export interface CompileContext {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly checkout: CwevalCheckout;
  readonly tools: CwevalTools;
  readonly preparation: Preparation;
}

export interface CompileRequest {
  /** A folder of `createWorkDir`. */
  readonly folder: string;
  /** Relative to it. */
  readonly source: string;
  readonly program: string;
  readonly language: 'c' | 'cpp' | 'go';
  readonly signal: AbortSignal;
}

export type Compiled =
  | { readonly ok: true }
  | { readonly ok: false; readonly timedOut: boolean; readonly log: string };

/** A model's program of a screen or two is built in seconds; templates can make a compiler run for hours. */
const COMPILE_MS = 120_000;

/** @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason. */
export async function compileProgram(
  { sandbox, toolchain, checkout, tools, preparation }: CompileContext,
  { folder, source, program, language, signal }: CompileRequest,
): Promise<Compiled> {
  const shims = await stageShims(toolchain);
  const { readOnly, env } = toolsToCompile(tools, language, preparation);
  const result = await sandbox.run({
    command: [
      tools.python?.path ?? toolchain.python,
      '-I',
      '-S',
      '-B',
      `${SHIMS_INSIDE}/compile_task.py`,
      CHECKOUT_INSIDE,
      `/work/${source}`,
      `/work/${program}`,
    ],
    workDir: folder,
    workWritable: true,
    readOnly: [
      shims,
      ...checkoutToCompile(checkout, preparation.hasGoModules),
      ...pythonShown(tools),
      ...readOnly,
    ],
    env,
    limits: {
      ...generousLimits,
      wallMs: COMPILE_MS,
      memoryBytes: 2048 * 1024 ** 2,
      outputBytes: 8 * 1024 ** 2,
    },
    signal,
  });
  signal.throwIfAborted();
  if (result.outcome === 'failedToStart') throw unavailable({ ...result, startError: result.stderr });
  if (result.exitCode === 0) return { ok: true };
  const said = `${result.stdout}\n${result.stderr}`.trim();
  return { ok: false, timedOut: result.outcome === 'timeout', log: tailOf(said || result.outcome, 1500) };
}
