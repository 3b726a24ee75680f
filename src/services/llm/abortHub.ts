/** One listener a signal, however many requests hang on it: adding and removing hundreds of listeners costs more. */

type OnAbort = (reason: unknown) => void;

const hubs = new WeakMap<AbortSignal, Set<OnAbort>>();

/** Calls back once when the signal is aborted (at once if it is). The returned function takes the callback away. */
export function onAbort(signal: AbortSignal, callback: OnAbort): () => void {
  if (signal.aborted) {
    callback(signal.reason);
    return () => undefined;
  }
  const hub = hubs.get(signal) ?? openHub(signal);
  hub.add(callback);
  return () => hub.delete(callback);
}

function openHub(signal: AbortSignal): Set<OnAbort> {
  const hub = new Set<OnAbort>();
  hubs.set(signal, hub);
  signal.addEventListener(
    'abort',
    () => {
      for (const callback of hub) callback(signal.reason);
      hub.clear();
    },
    { once: true },
  );
  return hub;
}
