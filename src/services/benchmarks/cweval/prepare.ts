/**
 * What makes compiling fast without changing its result: upstream's headers precompiled, and a warm cache of Go. Made
 * once for each set of tools, and at the same time the proof that the compilers and libraries work in the sandbox.
 */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFolder, tailOf, type Sandbox, type Toolchain, type WorkDir } from '../../sandbox/index.ts';
import type { CwevalCatalogue } from './catalogue.ts';
import type { CwevalCheckout } from './checkout.ts';
import {
  CHECKOUT_INSIDE,
  checkoutToCompile,
  HEADERS_INSIDE,
  pythonShown,
  toolsToCompile,
  type Prepared,
  type Shown,
} from './inside.ts';
import { aptLibraries, GOIMPORTS, type CwevalLanguage } from './requirements.ts';
import type { CwevalTools } from './tools.ts';
import { generousLimits, SHIMS_INSIDE, stageShims } from './upstreamRuns.ts';

/** Raise when what is made changes. */
const HEADERS_VERSION = 3;
const GO_VERSION = 1;

export interface PrepareRequest {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly checkout: CwevalCheckout;
  readonly tools: CwevalTools;
  readonly catalogue: Pick<CwevalCatalogue, 'headers' | 'benchmarkDir'>;
  /** Of the tasks; what no task is written in is not prepared. */
  readonly languages: ReadonlySet<CwevalLanguage>;
}

export interface Preparation extends Prepared {
  readonly hasGoModules: boolean;
  /** Upstream's own tools, which some tests start. */
  readonly hasThirdParty: boolean;
  /** Why a language cannot be compiled here. */
  readonly problems: ReadonlyMap<CwevalLanguage, string>;
}

export async function prepare(request: PrepareRequest): Promise<Preparation> {
  const problems = new Map<CwevalLanguage, string>();
  const hasGoModules = await exists(join(request.checkout.home, 'go.mod'));
  const headers = await prepareHeaders(request, problems);
  const goCache = request.languages.has('go') ? await prepareGo(request, hasGoModules, problems) : null;
  const hasThirdParty = await exists(join(request.checkout.home, 'third_party'));
  return { headers, goCache, hasGoModules, hasThirdParty, problems };
}

/** A folder with bin/gcc, bin/g++ and the headers of each language that can be built. */
async function prepareHeaders(
  { sandbox, toolchain, checkout, tools, catalogue, languages }: PrepareRequest,
  problems: Map<CwevalLanguage, string>,
): Promise<string | null> {
  const compilers = [
    { language: 'c', name: 'gcc', tool: tools.gcc, kind: 'c-header', ending: 'h', text: catalogue.headers.c },
    {
      language: 'cpp',
      name: 'g++',
      tool: tools.gpp,
      kind: 'c++-header',
      ending: 'hpp',
      text: catalogue.headers.cpp,
    },
  ] as const;
  const wanted = compilers.filter(({ language }) => languages.has(language));
  for (const { language, name, tool } of wanted)
    if (tool === null) problems.set(language, `${name} is missing`);
  const usable = wanted.flatMap(({ tool, ...compiler }) => (tool === null ? [] : [{ ...compiler, tool }]));
  if (usable.length === 0) return null;
  const shims = await stageShims(toolchain);
  const python = tools.python?.path ?? toolchain.python;
  const identity = [
    HEADERS_VERSION,
    shims.host,
    checkout.contentSha256,
    tools.gcc,
    tools.gpp,
    tools.libraryPaths,
    usable,
  ];
  return await publish(toolchain, 'headers', identity, async (draft) => {
    let failed = false;
    await using work = await sandbox.createWorkDir();
    for (const { language, name, tool, kind, ending, text } of usable) {
      const file = `upstream.${ending}`;
      await writeShared(work, file, text);
      await writeShared(work, `${name}.sh`, compilerWrapper(tool.path, `${HEADERS_INSIDE}/${file}`));
      await writeShared(work, `probe.${language}`, `${text}int main(void) { return 0; }\n`);
      const { readOnly, env } = toolsToCompile(tools, language, null);
      const script = [
        'mkdir -p /work/bin',
        `${tool.path} -x ${kind} /work/${file} -o /work/${file}.gch $(xml2-config --cflags)`,
        `cp /work/${name}.sh /work/bin/${name} && chmod 755 /work/bin/${name}`,
        // Upstream's own flags and libraries.
        `${python} -I -S -B ${SHIMS_INSIDE}/compile_task.py ${CHECKOUT_INSIDE} /work/probe.${language} /work/compiled/probe`,
      ];
      const shown = [shims, ...checkoutToCompile(checkout, false), ...pythonShown(tools), ...readOnly];
      const failure = await runScript(sandbox, work, script.join(' && '), { readOnly: shown, env });
      if (failure === null) continue;
      failed = true;
      problems.set(language, `${name} cannot build upstream's programs: ${failure}`);
    }
    await cp(work.path, draft, { recursive: true });
    return !failed;
  });
}

/** gcc 12 crashes on precompiled headers under AddressSanitizer: those programs are built without. */
function compilerWrapper(compiler: string, header: string): string {
  return `#!/bin/sh
case " $* " in
  *" -fsanitize"*) exec ${compiler} "$@" ;;
  *) exec ${compiler} -include ${header} "$@" ;;
esac
`;
}

async function prepareGo(
  { sandbox, toolchain, checkout, tools, catalogue }: PrepareRequest,
  hasGoModules: boolean,
  problems: Map<CwevalLanguage, string>,
): Promise<string | null> {
  const { go, goimports } = tools;
  if (go === null) problems.set('go', 'go is missing');
  else if (goimports === null) problems.set('go', `goimports is missing (go install ${GOIMPORTS})`);
  if (go === null || goimports === null) return null;
  const imports = await importedByGo(join(checkout.home, catalogue.benchmarkDir));
  const sums = hasGoModules ? await readFile(join(checkout.home, 'go.sum'), 'utf8') : '';
  const identity = [GO_VERSION, go, tools.gcc, tools.libraryPaths, imports, sums];
  return await publish(toolchain, 'go', identity, async (draft) => {
    await using work = await sandbox.createWorkDir();
    await writeShared(work, 'warm.go', warmProgram(imports));
    const script = `cd ${CHECKOUT_INSIDE} && go build -o /work/warm /work/warm.go && go build std`;
    const { readOnly, env } = toolsToCompile(tools, 'go', null);
    const shown = { readOnly: [...checkoutToCompile(checkout, hasGoModules), ...readOnly], env };
    const failure = await runScript(sandbox, work, script, shown);
    if (failure !== null) {
      problems.set('go', `go cannot build with the modules of go.mod: ${failure}`);
      return false;
    }
    await cp(join(work.path, 'go-cache'), draft, { recursive: true });
    return true;
  });
}

function warmProgram(imports: readonly string[]): string {
  return `package main\n\nimport (\n${imports.map((name) => `\t_ "${name}"\n`).join('')})\n\nfunc main() {}\n`;
}

/** All that references and insecure variants import; the standard library comes besides, for what models import. */
async function importedByGo(benchmark: string): Promise<string[]> {
  const found = new Set<string>();
  for (const entry of await readdir(benchmark, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.go')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const block of text.matchAll(/^import\s+(?:\(([^)]*)\)|[\w.]*\s*("[^"]+"))/gm))
      for (const name of `${block[1] ?? ''}${block[2] ?? ''}`.matchAll(/"([^"]+)"/g))
        found.add(name[1] ?? '');
  }
  return [...found].filter((name) => name !== '' && name !== 'C').sort();
}

/** The end of what a failing script says, as one line; null where it succeeds. */
async function runScript(
  sandbox: Sandbox,
  work: WorkDir,
  script: string,
  { readOnly, env }: Shown,
): Promise<string | null> {
  const result = await sandbox.run({
    command: ['/bin/sh', '-c', script],
    workDir: work.path,
    workWritable: true,
    readOnly,
    env: { ...env, HOME: '/work' },
    limits: generousLimits,
  });
  if (result.exitCode === 0) return null;
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n');
  const line = said.find((text) => /error|cannot|not found|missing/i.test(text)) ?? said.at(-1) ?? '';
  return tailOf(line === '' ? result.outcome : line, 300);
}

/**
 * The published folder of that identity; made where it is not there. A failure is not kept: an installation mends it.
 * `fill` tells whether the result may be kept.
 */
async function publish(
  { root }: Toolchain,
  kind: string,
  identity: unknown,
  fill: (draft: string) => Promise<boolean>,
): Promise<string | null> {
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  const folder = join(root, 'cweval', `${kind}-${key}`);
  try {
    await publishFolder(folder, async (draft) => {
      if (!(await fill(draft))) throw new NotKept();
    });
  } catch (error) {
    if (error instanceof NotKept) return null;
    throw error;
  }
  return folder;
}

class NotKept extends Error {}

async function writeShared(work: WorkDir, name: string, text: string): Promise<void> {
  await writeFile(join(work.path, name), text, { mode: 0o644 });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

/** How to install the libraries that C and C++ need. */
export const librariesRemedy = `apt-get install gcc g++ ${aptLibraries.join(' ')}`;
