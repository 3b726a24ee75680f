/** A Chromium for the browser tests. They are skipped where there is none and none can be installed. */
import { spawnSync } from 'node:child_process';
import { findProgram } from './commands.mjs';
import { formatTime } from './report.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The path of a Chromium, or undefined. Installs Debian's as root.
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 */
export function findTestBrowser(env, say) {
  const found = () =>
    env.CHROME_PATH ?? NAMES.map((name) => findProgram(name, env)).find((path) => path !== undefined);
  const present = found();
  if (present !== undefined) return present;
  const apt = findProgram('apt-get', env);
  if (process.getuid?.() !== 0 || apt === undefined) {
    say(
      '- Chromium             is not there: browser tests are skipped (apt-get install chromium, or set CHROME_PATH)',
    );
    return undefined;
  }
  const startedMs = Date.now();
  const options = {
    stdio: 'ignore',
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync(apt, ['update'], options);
  spawnSync(apt, ['install', '-y', '--no-install-recommends', 'chromium'], options);
  const installed = found();
  const time = formatTime(Date.now() - startedMs);
  say(
    installed === undefined
      ? `- Chromium             could not be installed (${time}): browser tests are skipped`
      : `✓ Chromium             installed in ${time}`,
  );
  return installed;
}
