/** Reports in a real browser, for tests. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';

export const CHROMIUM = [
  process.env['CHROME_PATH'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((file) => file !== '' && existsSync(file));

export const skipReason = CHROMIUM === undefined ? ' (skipped: no Chromium on this machine)' : '';

export interface OpenPage {
  readonly page: Page;
  /** Messages on the console, uncaught errors, and requests beyond the file itself. */
  readonly complaints: readonly string[];
  /** Since the page was asked for. */
  wallMs(): number;
  /** CPU time of the page's process: what a busy machine does not lengthen. */
  cpuMs(): Promise<number>;
}

export class ReportBrowser {
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser;
    this.#folder = folder;
  }

  static async start(): Promise<ReportBrowser> {
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
    return new ReportBrowser(browser, await mkdtemp(path.join(tmpdir(), 'secpi-report-')));
  }

  async open(text: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<OpenPage> {
    const file = path.join(this.#folder, 'report.html');
    await writeFile(file, text);
    const page = await this.#browser.newPage({ reducedMotion: 'reduce', ...options });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(`request to ${request.url()}`);
    });
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('Performance.enable');
    const started = performance.now();
    await page.goto(pathToFileURL(file).href);
    return {
      page,
      complaints,
      wallMs: () => performance.now() - started,
      async cpuMs() {
        const { metrics } = await devTools.send('Performance.getMetrics');
        return 1000 * (metrics.find(({ name }) => name === 'ProcessTime')?.value ?? Number.NaN);
      },
    };
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await rm(this.#folder, { recursive: true });
  }
}
