/** A run in a warm host, which only saves time: what it says counts where all went well, and nothing else does. */
import { chmod, copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_LIMITS, TOOLCHAIN_INSIDE, type ReadOnlyBind } from '../../sandbox/index.ts';
import { HARNESS_INSIDE } from '../stageHarness.ts';
import type { HostSpec, WarmHost } from '../warm/index.ts';
import { Conversation } from './conversation.ts';
import type { PytestRequest, PytestResult } from './types.ts';

const MODULES = ['secpi_plugins', 'secpi_results', 'secpi_canaries', 'secpi_guard', 'secpi_reporter'];
/** Of the wall limit: a run that needs more of it is done again and gets the whole. */
const WALL_SHARE = 0.5;

let count = 0;

/**
 * Null: to be done in a sandbox of its own.
 * @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason when aborted.
 */
export async function runWarm(request: PytestRequest, harness: ReadOnlyBind): Promise<PytestResult | null> {
  const { warm, expected, signal } = request;
  if (warm === undefined || expected === null || request.folderWritable === true) return null;
  if (request.limits?.cpuSeconds !== undefined) return null;
  const { wallMs, cpuSeconds: _, ...limits } = { ...DEFAULT_LIMITS, ...request.limits };
  const spec: HostSpec = {
    python: request.python ?? request.toolchain.python,
    site: `${TOOLCHAIN_INSIDE.dir}/site`,
    harness: HARNESS_INSIDE,
    script: `${HARNESS_INSIDE}/secpi_run_tests.py`,
    modules: MODULES,
    preload: request.preload ?? [],
    readOnly: [harness, ...(request.readOnly ?? [])],
    env: request.env ?? {},
    limits,
  };
  const result = await warm.use(spec, (host) => attempt(host, request, wallMs * WALL_SHARE));
  signal?.throwIfAborted();
  return result;
}

async function attempt(
  host: WarmHost,
  request: PytestRequest,
  wallMs: number,
): Promise<{ readonly keep: boolean; readonly result: PytestResult | null }> {
  count += 1;
  const name = String(count);
  const folder = join(host.runsFolder, name);
  // What cannot be copied is run cold, which tells what is wrong.
  if (!(await copyOpen(request.folder, folder).catch(() => false))) return { keep: false, result: null };
  const inside = (path: string): string => path.replace(/^\/work(?=\/|$)/, `/work/${name}`);
  const run = host.run([], wallMs, request.signal);
  const talk = new Conversation(run.process, {
    ...request,
    folder: host.runsFolder,
    testFile: join(name, request.testFile),
    cwd: inside(request.cwd ?? '/work'),
    pythonPath: (request.pythonPath ?? []).map(inside),
  });
  const end = await run.process.done;
  const accepted = run.isClean() && talk.isWhole(end);
  await rm(folder, { recursive: true, force: true });
  return { keep: accepted, result: accepted ? talk.result(end, request.expected) : null };
}

/** A copy that every user can read; false where something is neither file nor folder. */
async function copyOpen(from: string, to: string): Promise<boolean> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      if (!(await copyOpen(source, target))) return false;
    } else if (entry.isFile()) {
      await copyFile(source, target);
      await chmod(target, ((await stat(source)).mode & 0o111) === 0 ? 0o644 : 0o755);
    } else return false;
  }
  return true;
}
