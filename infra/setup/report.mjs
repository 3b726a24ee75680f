/** One line a step, with size and time. On a terminal the steps at work show in a last line of their own. */

const NAME_WIDTH = 20;
const REFRESH_MS = 500;

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}

/** @param {number} ms */
export function formatTime(ms) {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/**
 * @param {NodeJS.WriteStream} out
 * @param {boolean} quiet leave out what was ready
 */
export function createReport(out, quiet) {
  /** @type {Map<string, number>} */
  const running = new Map();
  const live = out.isTTY;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  const clear = () => live && out.write('\r\u001B[2K');
  const draw = () => {
    if (!live || running.size === 0) return;
    const parts = [...running].map(([name, start]) => `${name} ${Math.round((Date.now() - start) / 1000)} s`);
    clear();
    out.write(`… ${parts.join(' · ')}`.slice(0, (out.columns || 80) - 1));
  };
  /** @param {string} text */
  const line = (text) => {
    clear();
    out.write(`${text}\n`);
    draw();
  };
  /** @param {string} name */
  const end = (name) => {
    const start = running.get(name) ?? Date.now();
    running.delete(name);
    if (running.size === 0) clearInterval(timer);
    return Date.now() - start;
  };

  return {
    line,
    /** @param {string} name */
    begin(name) {
      if (running.size === 0 && live) timer = setInterval(draw, REFRESH_MS).unref();
      running.set(name, Date.now());
      draw();
    },
    /**
     * @param {string} name
     * @param {{bytes?: number | undefined, made: boolean, note?: string | undefined}} outcome
     */
    done(name, { bytes, made, note }) {
      const time = end(name);
      if (quiet && !made) return;
      const size = bytes === undefined ? '' : formatBytes(bytes);
      const state = made ? `installed in ${formatTime(time)}` : 'ready';
      line(
        `✓ ${name.padEnd(NAME_WIDTH)} ${size.padStart(8)}  ${state}${note === undefined ? '' : `  (${note})`}`,
      );
    },
    /** @param {string} name */
    failed(name) {
      const time = end(name);
      line(`✗ ${name.padEnd(NAME_WIDTH)} failed after ${formatTime(time)}`);
    },
  };
}
