/** A checkout-shaped tree of our own, and a driver for it. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BenchmarkDriver, DriverGrade } from '../../src/services/benchmarks/driver.ts';
import { createCwevalDriver } from '../../src/services/benchmarks/cweval/index.ts';
import { createSandbox } from '../../src/services/sandbox/index.ts';
import { testToolchain } from '../sandbox/support.ts';

export const CHECKOUT = join(import.meta.dirname, 'checkout');

export const tasks = {
  python: 'core/py/cwe_022_0',
  javascript: 'core/js/cwe_079_0_js',
  c: 'lang/c/cwe_787_0_c',
} as const;

/** What the adapter reads of a worker's environment. */
export function environment(
  changes: Record<string, string | undefined> = {},
): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], CWEVAL_HOME: CHECKOUT, CWEVAL_PYTHON: '/usr/bin/python3', ...changes };
}

export async function openDriver(
  testSeconds: number,
  changes: Record<string, string | undefined> = {},
): Promise<BenchmarkDriver> {
  const toolchain = await testToolchain();
  const sandbox = await createSandbox({ toolchain });
  return await createCwevalDriver({
    home: undefined,
    environment: environment(changes),
    sandbox,
    toolchain,
    settings: { testSeconds },
  });
}

/** A limit for all tests together: a loop outside of them is ended by it. */
export const WALL_MS = 8000;

export async function grade(driver: BenchmarkDriver, taskId: string, reply: string): Promise<DriverGrade> {
  const limits = { wallMs: WALL_MS, memoryBytes: 1024 ** 3 };
  return await driver.grade({ taskId, reply, limits, signal: new AbortController().signal });
}

export function fenced(code: string, language = ''): string {
  return `\`\`\`${language}\n${code}\n\`\`\`\n`;
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'secpi-cweval-'));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

export async function copyCheckout(to: string): Promise<void> {
  await cp(CHECKOUT, to, { recursive: true });
}

export async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
