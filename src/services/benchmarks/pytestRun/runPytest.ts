/** pytest in one sandbox, with the program or module under test. The threat model: DESIGN.md of the sandbox. */
import { join } from 'node:path';
import {
  DEFAULT_LIMITS,
  unavailable,
  type ReadOnlyBind,
  type SandboxLimits,
  type Toolchain,
} from '../../sandbox/index.ts';
import { HARNESS_INSIDE, stageHarness } from '../stageHarness.ts';
import { Conversation } from './conversation.ts';
import type { PytestRequest, PytestResult } from './types.ts';
import { runWarm } from './runWarm.ts';

const SOURCE = join(import.meta.dirname, 'harness');

/**
 * What the sample did is in the result.
 * @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason when aborted.
 */
export async function runPytest(request: PytestRequest): Promise<PytestResult> {
  const { sandbox, toolchain, signal, expected } = request;
  signal?.throwIfAborted();
  const harness = await stagePytestHarness(toolchain);
  const warm = await runWarm(request, harness);
  if (warm !== null) return warm;
  const running = await sandbox.start({
    command: [request.python ?? toolchain.python, '-I', '-B', `${HARNESS_INSIDE}/secpi_run_tests.py`],
    workDir: request.folder,
    workWritable: request.folderWritable ?? false,
    readOnly: [harness, ...(request.readOnly ?? [])],
    limits: limitsOf(request),
    ...(request.env === undefined ? {} : { env: request.env }),
    ...(signal === undefined ? {} : { signal }),
  });
  const talk = new Conversation(running, request);
  const end = await running.done;
  signal?.throwIfAborted();
  if (end.outcome === 'failedToStart') throw unavailable(end);
  return talk.result(end, expected);
}

/** The Python side, where a sandbox can read it: at HARNESS_INSIDE. */
export async function stagePytestHarness(toolchain: Pick<Toolchain, 'root'>): Promise<ReadOnlyBind> {
  return { host: await stageHarness(toolchain, 'pytest-harness', SOURCE), inside: HARNESS_INSIDE };
}

/** The CPU limit lies beyond the wall limit, so that an endless loop ends as the timeout that it is. */
function limitsOf({ limits }: PytestRequest): SandboxLimits {
  const all = { ...DEFAULT_LIMITS, ...limits };
  return { ...all, cpuSeconds: limits?.cpuSeconds ?? Math.ceil(all.wallMs / 1000) + 5 };
}
