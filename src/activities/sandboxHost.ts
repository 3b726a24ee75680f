/** The sandbox of a worker and what runs inside it. */
import { createSandbox, stageToolchain, type Sandbox, type Toolchain } from '../services/sandbox/index.ts';
import type { Deps } from './deps.ts';

export interface SandboxHost {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
}

export async function prepareHost({ paths }: Deps): Promise<SandboxHost> {
  const toolchain = await stageToolchain({ cacheDir: paths.cacheDir, pip: [paths.pythonPath, '-m', 'pip'] });
  return { toolchain, sandbox: await createSandbox({ toolchain }) };
}
