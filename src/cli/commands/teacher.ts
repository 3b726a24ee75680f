/** `secpi teacher`: the recorded teacher in the foreground. */
import { join } from 'node:path';
import { startRecordedTeacher } from '../../services/teacher/recordedTeacher.ts';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { projectRoot } from '../settings.ts';

export async function teacher(options: {
  readonly port: number;
  readonly records?: string | undefined;
  readonly latencyMs: number;
}): Promise<number> {
  const interruption = watchInterrupts(() => undefined);
  const server = await startRecordedTeacher({
    recordsDir: options.records ?? join(projectRoot, 'records'),
    port: options.port,
    latencyMs: options.latencyMs,
  });
  process.stdout.write(`${JSON.stringify({ event: 'ready', url: server.url })}\n`);
  await interruption.requested.catch(() => undefined);
  await server.close();
  interruption.dispose();
  return exitCodes.ok;
}
