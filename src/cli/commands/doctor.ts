/** `secpi doctor`: checks each part and says what to do; installs nothing but the sandbox's own small toolchain. */
import { existsSync } from 'node:fs';
import { freemem } from 'node:os';
import { searchAttributes } from '../../contract/workflows.ts';
import { createSandbox, stageToolchain } from '../../services/sandbox/index.ts';
import { probeStore } from '../../services/store/index.ts';
import { connectCluster, connectStore } from '../connections.ts';
import { complain, exitCodes } from '../exit.ts';
import { userCluster } from '../session.ts';
import { readSettings } from '../settings.ts';
import { findStack } from '../stack/stack.ts';
import { StackError } from '../stack/stackError.ts';
import type { StackState } from '../stack/stackState.ts';
import { missingSearchAttributes } from '../stack/temporalServer.ts';
import { locateTools } from '../tools.ts';

const MEMORY_BYTES = 6e9;

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found; of a failure the code, the problem and the remedy. */
  readonly text: string;
}

export async function doctor(options: { readonly json: boolean }): Promise<number> {
  const checks: Check[] = [];
  const tell = (check: Check): void => {
    checks.push(check);
    if (!options.json)
      process.stdout.write(
        `${check.ok ? '✓' : '✗'} ${check.name.padEnd(18)} ${check.text.replaceAll('\n', '\n  ')}\n`,
      );
  };
  const check = async (name: string, work: () => Promise<string> | string): Promise<void> => {
    try {
      tell({ name, ok: true, text: await work() });
    } catch (error) {
      tell({ name, ok: false, text: complain(error).text });
    }
  };
  const settings = readSettings(process.env);
  const tools = locateTools(settings.root, settings.env);
  await check('programs', () => programs([tools.node, tools.python, tools.temporal, tools.versitygw]));
  await check('memory', () => memory());
  await check('sandbox', async () => {
    const toolchain = await stageToolchain({ cacheDir: tools.cache, pip: [tools.python, '-m', 'pip'] });
    await createSandbox({ toolchain });
    return `a program ran in it (${toolchain.dir})`;
  });
  const state = (await findStack(settings.state)) ?? userCluster(settings);
  if (state === null) {
    if (!options.json)
      process.stdout.write(
        '· stack              not running; start it with `npx secpi up` to have Temporal and S3 checked\n',
      );
  } else {
    await check('Temporal', async () => await temporal(state));
    await check('S3', async () => {
      const { objects } = await connectStore(settings, state);
      await probeStore(objects);
      objects.close();
      return `${state.s3.endpoint}, bucket ${state.s3.bucket}: conditional writes hold`;
    });
  }
  const ok = checks.every((check) => check.ok);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ok, stack: state !== null, checks }, null, 2)}\n`);
  return ok ? exitCodes.ok : exitCodes.stackTrouble;

  async function temporal(running: StackState): Promise<string> {
    const cluster = await connectCluster(settings, running);
    const { address, namespace } = running.temporal;
    let missing;
    try {
      missing = await missingSearchAttributes(cluster.connection, namespace);
    } finally {
      await cluster.close();
    }
    if (missing.length === 0) return `${address}, namespace ${namespace}, all search attributes`;
    const flags = missing.map((name) => `--name ${name} --type ${searchAttributes[name]}`).join(' ');
    throw new StackError(
      `${address} lacks the search attributes ${missing.join(', ')}; runs work, but cannot be searched by them.`,
      `temporal operator search-attribute create --namespace ${namespace} ${flags}`,
    );
  }
}

function programs(paths: readonly string[]): string {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new StackError(`missing: ${missing.join(', ')}`, 'npx secpi setup');
  return paths.join(' ');
}

function memory(): string {
  const free = `${(freemem() / 1e9).toFixed(1)} GB free`;
  if (freemem() < MEMORY_BYTES)
    throw new StackError(
      `${free}; the quick recipe takes up to ${MEMORY_BYTES / 1e9} GB.`,
      'End other programs, or use a bigger machine.',
    );
  return free;
}
