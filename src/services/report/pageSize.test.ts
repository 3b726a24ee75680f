import { availableParallelism, loadavg } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSummary } from './buildSummary.ts';
import { renderHtml } from './page.ts';
import { CHROMIUM, ReportBrowser, skipReason } from './testBrowser.ts';
import { manySamples } from './testMany.ts';
import { testRun } from './testRun.ts';
import { testDataRows } from './testSamples.ts';

const SAMPLES = 40_000;
const MAX_BYTES = 30_000_000;
const MAX_OPEN_MS = 3000;
const RENDER_TIMEOUT_MS = 240_000;

const input = testRun();

describe(`a report of ${SAMPLES} samples of 2 KB each`, () => {
  let text: string;
  beforeAll(async () => {
    text = await renderHtml(buildSummary(input), manySamples(input, SAMPLES), testDataRows());
  }, RENDER_TIMEOUT_MS);

  it('is under 30 MB, uses most of that, and says what it left out', () => {
    const bytes = Buffer.byteLength(text);
    expect(bytes).toBeLessThan(MAX_BYTES);
    expect(bytes).toBeGreaterThan(MAX_BYTES * 0.6);
    expect(text).toContain('To keep this page below 30 MB, the logs of samples that succeeded are left out');
  });

  describe.skipIf(CHROMIUM === undefined)(`in a browser${skipReason}`, () => {
    let browser: ReportBrowser;
    beforeAll(async () => {
      browser = await ReportBrowser.start();
    });
    afterAll(async () => await browser.stop());

    it('opens in under 3 s, its first table and a filter that works', { retry: 2 }, async () => {
      const { page, complaints, wallMs, cpuMs } = await browser.open(text);
      await page.locator('#overview table').waitFor();
      await page.getByText('40,000 of 40,000 samples match, 50 listed').waitFor();
      await page.getByLabel('Verdict').selectOption('functional, insecure');
      await page.getByText(/^\d,\d{3} of 40,000 samples match/).waitFor();
      const taken = { wallMs: wallMs(), cpuMs: await cpuMs() };
      expect(taken.cpuMs).toBeLessThan(MAX_OPEN_MS);
      // A machine with more to do than it has cores tells nothing by the clock.
      const isBusy = (loadavg()[0] ?? 0) > availableParallelism();
      expect(isBusy || taken.wallMs < MAX_OPEN_MS, JSON.stringify(taken)).toBe(true);
      await page.locator('#sample-list summary').last().click();
      await page.getByRole('heading', { name: 'Log' }).waitFor();
      expect(await page.locator('#sample-list pre').nth(1).textContent()).toContain('Here is the program.');
      expect(complaints).toEqual([]);
      await page.close();
    });
  });
});
