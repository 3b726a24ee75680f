/** Source → program, in a sandbox that holds nothing but the source and the compiler. */
import { chmod, copyFile, lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dirname } from 'node:path';
import {
  DEFAULT_LIMITS,
  openFolder,
  tailOf,
  unavailable,
  type ReadOnlyBind,
  type Sandbox,
  type SandboxLimits,
  type Toolchain,
} from '../../sandbox/index.ts';
import type { WarmHosts } from '../warm/index.ts';
import { GO_LIBRARY_INSIDE, stageGoLibrary } from './goLibrary.ts';
import { goEntry, goReply } from './goSource.ts';
import { HEADERS_INSIDE, stageHeaders } from './headers.ts';
import type { ProgramTools } from './tools.ts';

export interface ProgramHost {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly tools: ProgramTools;
  /** Where tests are run first. */
  readonly warm: WarmHosts;
}

export interface ProgramSource {
  readonly language: 'c' | 'cpp' | 'go';
  /** Judged for memory safety: built with UndefinedBehaviorSanitizer too. */
  readonly memorySafety: boolean;
  readonly reply: string;
  /** The suite's `main`. */
  readonly entry: string;
  /** Package and imports of the task's file. */
  readonly preamble: string;
}

export type Built =
  | { readonly kind: 'built' }
  | { readonly kind: 'refused'; readonly log: string }
  | { readonly kind: 'timeout'; readonly log: string };

interface BuildPlan {
  readonly files: Readonly<Record<string, string>>;
  readonly script: string;
  readonly readOnly: readonly ReadOnlyBind[];
}

/** A compiler needs seconds; templates can make it run for ever. */
const BUILD_WALL_MS = 60_000;
const BUILD_LIMITS: SandboxLimits = {
  ...DEFAULT_LIMITS,
  wallMs: BUILD_WALL_MS,
  cpuSeconds: BUILD_WALL_MS / 1000,
  addressSpaceBytes: 8 * 1024 ** 3,
  memoryBytes: 2 * 1024 ** 3,
};
const LOG_CHARACTERS = 1500;

/**
 * Writes the program to `target`. `folder` is one of `createWorkDir`.
 * @throws SecpiError SANDBOX_UNAVAILABLE; the signal's reason when aborted.
 */
export async function buildProgram(
  host: ProgramHost,
  source: ProgramSource,
  folder: string,
  target: string,
  signal: AbortSignal,
): Promise<Built> {
  const plan =
    source.language === 'go' ? await planGo(host, source) : await planC(host, source, source.language);
  const build = join(folder, 'build');
  await openFolder(build, 0o777);
  for (const [name, text] of Object.entries(plan.files))
    await writeFile(join(build, name), text, { mode: 0o644 });
  signal.throwIfAborted();
  const result = await host.sandbox.run({
    command: ['/bin/sh', '-c', plan.script],
    workDir: build,
    workWritable: true,
    readOnly: plan.readOnly,
    limits: BUILD_LIMITS,
    signal,
  });
  signal.throwIfAborted();
  if (result.outcome === 'failedToStart') throw unavailable({ ...result, startError: result.stderr });
  const said = tailOf(`${result.stdout}${result.stderr}`.trim(), LOG_CHARACTERS);
  if (result.outcome === 'timeout')
    return { kind: 'timeout', log: `the compiler was stopped after ${BUILD_WALL_MS / 1000} s\n${said}` };
  if (result.exitCode !== 0) return { kind: 'refused', log: said || `the compiler ended: ${result.outcome}` };
  // Only the compiler ran here, but what it read is hostile: nothing but a plain file is taken.
  const made = join(build, 'program');
  if (!(await lstat(made)).isFile()) return { kind: 'refused', log: 'the compiler wrote no program' };
  await mkdir(dirname(target), { recursive: true });
  await chmod(dirname(target), 0o755);
  await copyFile(made, target);
  await chmod(target, 0o755);
  return { kind: 'built' };
}

const SANITIZED = ['-g', '-O1', '-fno-omit-frame-pointer'];

async function planC(
  { tools, toolchain }: ProgramHost,
  { reply, entry, memorySafety }: ProgramSource,
  language: 'c' | 'cpp',
): Promise<BuildPlan> {
  const compiler = language === 'c' ? tools.gcc : tools.gpp;
  if (compiler === null) throw new Error(`no compiler for ${language}`);
  const sanitizers = memorySafety
    ? ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
    : ['-fsanitize=address'];
  const flags = [...SANITIZED, ...sanitizers, `-std=${language === 'c' ? 'gnu17' : 'gnu++17'}`];
  const headers = await stageHeaders(toolchain, compiler, language, flags);
  // A reply that brings its own `main` keeps it under another name; it is never called.
  const text = `#define main reply_main\n#line 1 "reply.${language}"\n${reply}\n#undef main\n#line 1 "entry.${language}"\n${entry}\n`;
  const command = [compiler.path, ...flags, '-w', '-include', `${HEADERS_INSIDE}/standard.h`];
  return {
    files: { [`program.${language}`]: text },
    script: `exec ${command.join(' ')} program.${language} -o program -lm -pthread`,
    readOnly: [{ host: headers, inside: HEADERS_INSIDE }],
  };
}

const GO_ROOT_INSIDE = '/goroot';

async function planGo({ tools, toolchain }: ProgramHost, source: ProgramSource): Promise<BuildPlan> {
  if (tools.go === null) throw new Error('no compiler for go');
  const library = await stageGoLibrary(toolchain, tools.go);
  const tool = `${GO_ROOT_INSIDE}/pkg/tool/linux_${process.arch === 'arm64' ? 'arm64' : 'amd64'}`;
  const config = `-importcfg ${GO_LIBRARY_INSIDE}/importcfg`;
  return {
    files: { 'reply.go': goReply(source.reply), 'entry.go': goEntry(source.entry, source.preamble) },
    script: [
      'set -e',
      `${tool}/compile ${config} -p main -complete -trimpath /work -o main.a -pack reply.go entry.go`,
      `exec ${tool}/link ${config} -s -w -o program main.a`,
    ].join('\n'),
    readOnly: [
      { host: library, inside: GO_LIBRARY_INSIDE },
      { host: tools.go.root, inside: GO_ROOT_INSIDE },
    ],
  };
}
