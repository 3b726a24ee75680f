/** Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once. */
import { InterruptedError, exitCodes } from './exit.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  /** Rejects with InterruptedError when asked to stop. */
  readonly requested: Promise<never>;
  dispose(): void;
}

/** `onRequest` tells the person what happens now; `onForce` runs before the process ends at the second request. */
export function watchInterrupts(onRequest: () => void): Interruption {
  const controller = new AbortController();
  const requested = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(new InterruptedError()), { once: true });
  });
  // Whoever waits sees the rejection; nobody has to.
  requested.catch(() => undefined);
  const handler = (): void => {
    // The kernel ends the children of a process that goes at once.
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    onRequest();
    controller.abort(new InterruptedError());
  };
  const parentGone = (): void => {
    if (!controller.signal.aborted) controller.abort(new InterruptedError());
  };
  process.on('SIGINT', handler).on('SIGTERM', handler).on('SIGHUP', handler).on('disconnect', parentGone);
  // A launcher that was killed closes its channel; an idle channel must not keep this process alive.
  process.channel?.unref();
  return {
    signal: controller.signal,
    requested,
    dispose() {
      process
        .off('SIGINT', handler)
        .off('SIGTERM', handler)
        .off('SIGHUP', handler)
        .off('disconnect', parentGone);
    },
  };
}
