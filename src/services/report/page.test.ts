import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSummary } from './buildSummary.ts';
import { renderHtml } from './page.ts';
import type { ReportedSample } from './sampleData.ts';
import type { DataRows } from './data/collect.ts';
import { testDataRows, testRun, testSamples } from './testRun.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);
const HOSTILE =
  '</script><script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'"><!-- \u202e ${1}';

const input = testRun();

/** The first base sample and every name that a user or a model gives are hostile. */
async function hostilePage(): Promise<string> {
  const [first, ...rest] = testSamples(input);
  if (first === undefined) throw new Error('the test run has no samples');
  const verdict = { ...first.verdict, reason: HOSTILE, log: HOSTILE, failedTests: [HOSTILE] };
  const samples = [{ ...first, verdict, prompt: HOSTILE, reply: HOSTILE, code: HOSTILE }, ...rest];
  const [, ...verdicts] = input.base.verdicts;
  const summary = buildSummary({
    ...input,
    run: { ...input.run, recipe: HOSTILE, workflowId: HOSTILE },
    base: { ...input.base, model: HOSTILE, verdicts: [verdict, ...verdicts] },
    counts: { [HOSTILE]: { [HOSTILE]: 1 } },
    versions: { [HOSTILE]: HOSTILE },
    data: {
      filter: { in: 1, [HOSTILE]: 1 },
      distil: { accepted: 1 },
      rejections: { [HOSTILE]: 1 },
      cwes: { [HOSTILE]: 1 },
      languages: { [HOSTILE]: 1 },
      calibration: null,
    },
  });
  return await renderHtml(summary, samples, hostileRows());
}

function hostileRows(): DataRows {
  const { totals, rows } = testDataRows();
  const hostile = { id: HOSTILE, language: HOSTILE, reason: HOSTILE, detail: HOSTILE };
  const texts = [{ title: 'Task', text: HOSTILE }];
  return { totals, rows: rows.map((row) => ({ ...row, ...hostile, texts })) };
}

describe('renderHtml', () => {
  it('escapes everything that comes from users and models', async () => {
    const page = await hostilePage();
    expect(page).not.toContain('<script>document');
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<!--');
    expect(page).not.toContain('\u202e');
    expect(page.match(/<\/script>/g)).toHaveLength(page.match(/<script[ >]/g)?.length ?? 0);
  });

  it('reaches for nothing outside itself', async () => {
    const page = await renderHtml(buildSummary(input), testSamples(input), testDataRows());
    const withoutNamespaces = page.replaceAll(/xmlns(:xlink)?="[^"]*"/g, '');
    expect(withoutNamespaces).not.toMatch(/https?:\/\/|<link|<iframe|@import|url\(| style=/);
    expect(page).toMatch(
      /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-[^&]+&#39;; script-src &#39;sha256-/,
    );
  });

  it('tells the money apart in words, and how good the classifier is', async () => {
    const page = (await renderHtml(buildSummary(input), [], testDataRows())).replaceAll(/<[^>]+>|\s+/g, ' ');
    const text = page.replaceAll(/ +/g, ' ');
    expect(text).toContain('Paid twice: 0 answers, $0.00.');
    expect(text).toContain('Rejected answers: $0.0021.');
    expect(text).toContain('Used answers: $0.0168.');
    expect(text).toContain('Tried again: 4 requests. Reasoning: 9,100 tokens of 12,804 completed.');
    expect(text).toContain('of this paid twice 0 answers, $0.00');
    expect(text).toContain('precision 90.0 % [73.5, 97.9]');
    expect(text).toContain('F1 not measurable –');
    expect(text).toContain('near-duplicates 1 1.1 %');
    expect(text).toContain('cut off at the token limit 3 75.0 %');
  });

  it('says what its rows are a sample of', async () => {
    const rows = testDataRows();
    const sampled = await renderHtml(buildSummary(input), [], rows);
    expect(sampled).toMatch(/A sample of 70 of 1,064 rows and traces,/);
    expect(sampled).toContain('kept 38 · dropped 6 of 1,000 · excluded 1');
    const whole = await renderHtml(buildSummary(input), [], {
      ...rows,
      totals: { ...rows.totals, dropped: 6 },
    });
    expect(whole).toContain('All 70 rows and traces.');
  });

  it('has no section on data where a run made none', async () => {
    const { data: _, ...without } = input;
    const page = await renderHtml(buildSummary(without), testSamples(input));
    expect(page).not.toContain('id="data"');
    expect(page).not.toContain('#data');
  });
});

describe.skipIf(CHROMIUM === undefined)(
  `the report in a browser${CHROMIUM === undefined ? ' (skipped: no Chromium on this machine)' : ''}`,
  () => {
    let browser: Browser;
    let folder: string;
    const complaints: string[] = [];

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
      folder = await mkdtemp(path.join(tmpdir(), 'secpi-report-'));
    });
    afterAll(async () => {
      await browser.close();
      await rm(folder, { recursive: true });
    });

    async function open(text: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
      const file = path.join(folder, 'report.html');
      await writeFile(file, text);
      const page = await browser.newPage(options);
      complaints.length = 0;
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => {
        if (!request.url().startsWith('file:')) complaints.push(`request to ${request.url()}`);
      });
      await page.goto(pathToFileURL(file).href);
      return page;
    }

    it('filters the samples by model, weakness and verdict, and opens one', async () => {
      const page = await open(await renderHtml(buildSummary(input), testSamples(input), testDataRows()));
      const samples = page.locator('#samples');
      const status = samples.getByRole('status');
      expect(await status.textContent()).toBe('288 of 288 samples match, 50 listed');
      await samples.getByRole('combobox', { name: 'Model' }).selectOption('tuned');
      await samples.getByRole('combobox', { name: 'Weakness' }).selectOption('CWE-89');
      expect(await status.textContent()).toBe('16 of 288 samples match, 16 listed');
      await samples.getByRole('combobox', { name: 'Verdict' }).selectOption('functional and secure');
      const wanted = input.tuned.verdicts.filter(
        ({ cwe, functional, secure, extractable, unknown }) =>
          cwe === 'CWE-89' && functional && secure && extractable && !unknown,
      );
      expect(await page.locator('#sample-list > li').count()).toBe(wanted.length);
      expect(wanted.length).toBeGreaterThan(0);
      // By keyboard alone.
      await page.locator('#sample-list summary').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Code that was graded' }).waitFor();
      expect(await page.locator('#sample-list details[open] pre').first().textContent()).toBe(
        `Write a Python function for ${wanted[0]?.taskId}.`,
      );
      await samples.getByRole('button', { name: 'Reset' }).click();
      await page.getByText('288 of 288 samples match').waitFor();
      await samples.getByRole('button', { name: 'Show more' }).click();
      expect(await page.locator('#sample-list > li').count()).toBe(100);
      await page.getByRole('link', { name: 'CWE-1236' }).click();
      await page.getByText('16 of 288 samples match').waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    });

    it('filters the rows by kind, weakness, language, reason and text, and opens one', async () => {
      const page = await open(await renderHtml(buildSummary(input), testSamples(input), testDataRows()));
      const data = page.locator('#data');
      const status = data.getByRole('status');
      expect(await status.textContent()).toBe('70 of 70 rows match, 50 listed');
      await data.getByRole('combobox', { name: 'Kind' }).selectOption('rejected answer');
      expect(await status.textContent()).toBe('4 of 70 rows match, 4 listed');
      await data.getByRole('combobox', { name: 'Reason' }).selectOption('truncated');
      expect(await status.textContent()).toBe('3 of 70 rows match, 3 listed');
      await data.getByRole('button', { name: 'Reset' }).click();
      await data.getByText('70 of 70 rows match').waitFor();
      await data.getByRole('combobox', { name: 'Weakness' }).selectOption('CWE-89');
      await data.getByRole('combobox', { name: 'Language' }).selectOption('c');
      const wanted = testDataRows().rows.filter(
        ({ cwes, language }) => cwes.includes('CWE-89') && language === 'c',
      );
      expect(await data.locator('#data-list > li').count()).toBe(wanted.length);
      await data.getByRole('button', { name: 'Reset' }).click();
      // Texts are searched though they are packed.
      await data.getByLabel('Text').fill('DEF task_47');
      await data.getByText('1 of 70 rows match').waitFor();
      await data.locator('summary').first().focus();
      await page.keyboard.press('Enter');
      await data.getByRole('heading', { name: 'Reasoning' }).waitFor();
      expect(await data.locator('details[open] pre').allTextContents()).toEqual([
        'Write task number 47.',
        'The name is not to be trusted.',
        'def task_47(): ...',
      ]);
      expect(complaints).toEqual([]);
      await page.close();
    });

    it('shows hostile rows as text', async () => {
      const page = await open(await hostilePage());
      const data = page.locator('#data');
      await data.getByLabel('Text').fill('document.title="owned"');
      await data.getByText('70 of 70 rows match').waitFor();
      await data.locator('summary').first().click();
      await data.getByRole('heading', { name: 'Reason' }).waitFor();
      const shown = HOSTILE.replace('\u202e', '⟨U+202E⟩');
      expect(await data.locator('details[open] pre').allTextContents()).toEqual([
        `${shown}: ${shown}`,
        shown,
      ]);
      expect(complaints).toEqual([]);
      await page.close();
    });

    it('shows hostile text as text', async () => {
      const page = await open(await hostilePage());
      await page.getByLabel('Task or reason').fill('document.title');
      await page.locator('#sample-list summary').first().click();
      await page.getByRole('heading', { name: 'Reply' }).waitFor();
      expect(await page.locator('#sample-list pre').nth(1).textContent()).toBe(
        HOSTILE.replace('\u202e', '⟨U+202E⟩'),
      );
      expect(await page.title()).toContain('</script><script>');
      expect(complaints).toEqual([]);
      await page.close();
    });

    it('fits a phone, and follows the dark scheme', async () => {
      const text = await renderHtml(buildSummary(input), testSamples(input), testDataRows());
      const page = await open(text, { viewport: { width: 360, height: 780 }, colorScheme: 'dark' });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 21, 26)');
      // The plots take their colours from the scheme: labels are light on dark.
      expect(await page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")).toBe(
        'rgb(228, 232, 238)',
      );
      await page.close();
    });

    it('opens 40,000 samples in under 3 s, from a file of under 30 MB', { retry: 2 }, async () => {
      const summary = buildSummary(input);
      const [template] = testSamples(input);
      if (template === undefined) throw new Error('the test run has no samples');
      const samples = Array.from({ length: 40_000 }, (_, i): ReportedSample => {
        const noise = Array.from(
          { length: 12 },
          (_, j) => `value_${(i * 7919 + j * 104_729) % 99_991} = ${(i * 31 + j) % 997}`,
        ).join('\n');
        const verdict = {
          ...template.verdict,
          taskId: `task_${Math.floor(i / 20)}`,
          sample: i % 20,
          log: noise,
        };
        return {
          ...template,
          verdict,
          reply: `${template.reply ?? ''}\n${noise}`.repeat(3),
          code: noise.repeat(2),
        };
      });
      const text = await renderHtml(summary, samples);
      expect(text.length).toBeLessThan(30_000_000);
      const started = performance.now();
      const page = await open(text);
      await page.getByText('40000 of 40000 samples match').waitFor();
      expect(performance.now() - started).toBeLessThan(3000);
      await page.getByLabel('Task or reason').fill('task_1999 #19');
      await page.locator('#sample-list summary').first().click();
      await page.getByRole('heading', { name: 'Log' }).waitFor();
      expect(complaints).toEqual([]);
      await page.close();
    });
  },
);
