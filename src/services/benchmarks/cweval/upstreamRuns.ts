/** Runs this project's shims over upstream's code, in the sandbox. */
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { tailOf, unavailable, type ReadOnlyBind, type Sandbox, type Toolchain } from '../../sandbox/index.ts';
import { stageHarness } from '../stageHarness.ts';

export const SHIMS_INSIDE = '/shims';
const SOURCE = join(import.meta.dirname, 'shims');
const MIB = 1024 ** 2;

/** What a compiler, or the collection of all tests, may take. */
export const generousLimits = {
  wallMs: 1_200_000,
  cpuSeconds: 3600,
  addressSpaceBytes: null,
  memoryBytes: 6144 * MIB,
  processes: 512,
  fileBytes: 1024 * MIB,
  openFiles: 4096,
  outputBytes: 64 * MIB,
  tmpBytes: 4096 * MIB,
  tmpFiles: 200_000,
} as const;

/** The shims, where a sandbox can read them. */
export async function stageShims(toolchain: Toolchain): Promise<ReadOnlyBind> {
  return { host: await stageHarness(toolchain, 'cweval-shims', SOURCE), inside: SHIMS_INSIDE };
}

export interface ShimRequest {
  readonly sandbox: Sandbox;
  readonly shims: ReadOnlyBind;
  readonly python: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly readOnly: readonly ReadOnlyBind[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What a shim printed.
 * @throws SecpiError BENCHMARK_UNAVAILABLE with the end of its log where upstream's code failed; SANDBOX_UNAVAILABLE.
 */
export async function runShim(request: ShimRequest): Promise<string> {
  const { sandbox, shims, python, script, args, readOnly, env } = request;
  const running = await sandbox.start({
    command: [python, '-I', '-B', `${SHIMS_INSIDE}/${script}`, ...args],
    readOnly: [shims, ...readOnly],
    env,
    limits: generousLimits,
  });
  running.stdin.end();
  const chunks: Buffer[] = [];
  let log = '';
  running.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  running.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-4000);
  });
  const end = await running.done;
  if (end.outcome === 'failedToStart') throw unavailable(end);
  if (end.exitCode === 0) return Buffer.concat(chunks).toString('utf8');
  throw new SecpiError(
    'BENCHMARK_UNAVAILABLE',
    `CWEval's own code failed (${script}, ${end.outcome}, exit code ${end.exitCode ?? end.signalName}): ${tailOf(log.trim(), 600)}`,
    {
      field: 'CWEVAL_HOME',
      remedy: 'Take a checkout of CWEval as its authors publish it; this was made for e9a2a12.',
    },
  );
}
