/** Lines to a pipe or terminal, as fast as the reader takes them; a reader that closes (`| head`) is no error. */
export interface LineOutput {
  /** False when nobody reads any more. */
  line(text: string): Promise<boolean>;
}

const NOBODY_READS = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);

export function createOutput(stream: NodeJS.WritableStream): LineOutput {
  let failure: NodeJS.ErrnoException | null = null;
  const fail = (error: NodeJS.ErrnoException): void => {
    failure = error;
  };
  // Told to the writer below; without a listener it would end the process.
  stream.on('error', fail);
  return {
    async line(text) {
      await new Promise<void>((resolve) => {
        stream.write(`${text}\n`, (error) => {
          if (error) fail(error);
          resolve();
        });
      });
      if (failure === null) return true;
      if (NOBODY_READS.has(failure.code ?? '')) return false;
      throw failure;
    },
  };
}
