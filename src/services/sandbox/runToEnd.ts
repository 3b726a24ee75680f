/** A program without input, run to its end: the same for every backend. */
import { spellOutControls } from './text.ts';
import { DEFAULT_LIMITS, type Sandbox } from './types.ts';

export function runToEnd(start: Sandbox['start']): Sandbox['run'] {
  return async (request) => {
    const limit = request.limits?.outputBytes ?? DEFAULT_LIMITS.outputBytes;
    const running = await start(request);
    running.stdin.end();
    const stdout = gather(running.stdout, limit);
    const stderr = gather(running.stderr, limit);
    const { startError, ...end } = await running.done;
    return { ...end, stdout: spellOutControls(stdout()), stderr: spellOutControls(stderr() || startError) };
  };
}

function gather(stream: NodeJS.ReadableStream, limitBytes: number): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < limitBytes) chunks.push(chunk.subarray(0, limitBytes - bytes));
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
