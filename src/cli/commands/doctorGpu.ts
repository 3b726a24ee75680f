/** `secpi doctor gpu`: this machine as a GPU worker would find it, without starting one. */
import { examineHost } from '../../services/gpu/examine.ts';
import { describeHost } from '../../services/gpu/report.ts';
import { examineOptions } from '../../workers/gpu.ts';
import { connectStore } from '../connections.ts';
import { block, complain, exitCodes } from '../exit.ts';
import { localHost } from '../localHost.ts';
import { userCluster } from '../session.ts';
import { readSettings, type Settings } from '../settings.ts';
import { findStack } from '../stack/stack.ts';
import type { ObjectStore } from '../../services/store/index.ts';

export async function doctorGpu(): Promise<number> {
  const settings = readSettings(process.env);
  const { environment, config } = localHost();
  const objects = await openObjects(settings);
  process.stdout.write('Looking at this machine; importing torch takes a few seconds …\n');
  const examination = await examineHost({
    ...examineOptions(config, environment),
    objects,
    thorough: true,
  });
  objects?.close();
  const lines = describeHost({ ...examination, unfit: [] });
  process.stdout.write(`${lines.map((line) => `· ${line}`).join('\n')}\n`);
  for (const { problem, remedy } of examination.unfit)
    process.stdout.write(`✗ ${block('GPU_UNFIT', problem, remedy).replaceAll('\n', '\n  ')}\n`);
  if (examination.unfit.length > 0) return exitCodes.stackTrouble;
  process.stdout.write('✓ fit for `npx secpi worker gpu`\n');
  return exitCodes.ok;
}

/** Null, and a line that says why, where the store cannot be measured. */
async function openObjects(settings: Settings): Promise<ObjectStore | null> {
  const state = (await findStack(settings.state)) ?? userCluster(settings);
  if (state === null) {
    process.stdout.write('· no stack is running: the store is not measured\n');
    return null;
  }
  try {
    return (await connectStore(settings, state)).objects;
  } catch (error) {
    process.stdout.write(`✗ ${complain(error).text.replaceAll('\n', '\n  ')}\n`);
    return null;
  }
}
