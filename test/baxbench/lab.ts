/** A stand-in engine, the stand-in checkout and a Python for it, in a folder of its own. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { evaluateSchema } from '../../src/contract/recipe.ts';
import type { BaxbenchOptions } from '../../src/services/benchmarks/baxbench/index.ts';
import { StandInEngine } from './standInEngine.ts';

const packages = fileURLToPath(new URL('packages', import.meta.url));
export const checkoutHome = fileURLToPath(new URL('checkout', import.meta.url));

export interface Lab {
  readonly root: string;
  readonly engine: StandInEngine;
  readonly options: BaxbenchOptions;
  close(): Promise<void>;
}

export async function makeLab(baxbench: Record<string, unknown> = {}): Promise<Lab> {
  const root = await mkdtemp(join(tmpdir(), 'bax-'));
  const engine = new StandInEngine();
  const socket = join(root, 'engine.sock');
  await engine.listen(socket);
  return {
    root,
    engine,
    options: {
      home: checkoutHome,
      environment: { DOCKER_HOST: `unix://${socket}`, BAXBENCH_PYTHON: await makePython(root, '3.12.0') },
      settings: evaluateSchema.parse({ baxbench }),
      workRoot: root,
    },
    close: async () => {
      await engine.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A version manager's shim is slow: asked once. */
let found: string | undefined;
function realPython(): string {
  const asked = process.env['SECPI_PYTHON'] ?? 'python3';
  found ??= execFileSync(asked, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  return found;
}

/** The machine's Python that gives itself out for a version: the stand-in checkout needs no newer syntax. */
export async function makePython(root: string, version: string): Promise<string> {
  const path = join(root, `python-${version}`);
  const tuple = version.split('.').join(', ');
  const program = [
    'import runpy, sys',
    `sys.version, sys.version_info = "${version} (stand-in)", (${tuple}, "final", 0)`,
    `sys.path.insert(0, "${packages}")`,
    'sys.argv = [word for word in sys.argv[1:] if word != "-B"]',
    'runpy.run_path(sys.argv[0], run_name="__main__")',
  ].join('; ');
  await writeFile(path, `#!/bin/sh\nexec ${realPython()} -B -c '${program}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

/** A reply whose app behaves in a way that the stand-in checkout knows. */
export function app(behaviour: string): string {
  return `Here it is:\n\`\`\`python\n# behaviour: ${behaviour}\nprint("an app")\n\`\`\`\n`;
}

export const limits = { wallMs: 20_000, memoryBytes: 2 ** 30 };
export const never = new AbortController().signal;
