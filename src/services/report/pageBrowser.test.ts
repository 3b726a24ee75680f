import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSummary } from './buildSummary.ts';
import { outcomeOf } from './outcome.ts';
import { renderHtml } from './page.ts';
import { CHROMIUM, ReportBrowser, skipReason, type OpenPage } from './testBrowser.ts';
import { hostilePage, SHOWN } from './testHostile.ts';
import { testRun } from './testRun.ts';
import { testDataRows, testSamples } from './testSamples.ts';
import { worstContrast } from './testContrast.ts';

const IMAGES = path.join(import.meta.dirname, '../../../docs/images');
const input = testRun();
const samples = testSamples(input);

describe.skipIf(CHROMIUM === undefined)(`the report in a browser${skipReason}`, () => {
  let browser: ReportBrowser;
  let text: string;

  beforeAll(async () => {
    browser = await ReportBrowser.start();
    text = await renderHtml(buildSummary(input), samples, testDataRows());
  });
  afterAll(async () => await browser.stop());

  async function open(options: Parameters<ReportBrowser['open']>[1] = {}): Promise<OpenPage> {
    return await browser.open(text, options);
  }

  it('filters the samples by everything that tells them apart', async () => {
    const { page, complaints } = await open();
    const section = page.locator('#samples');
    const status = section.getByRole('status');
    const choose = async (filter: string, option: string): Promise<void> => {
      await section.getByRole('combobox', { name: filter, exact: true }).selectOption(option);
    };
    const expectMatches = async (holds: (sample: (typeof samples)[number]) => boolean): Promise<void> => {
      const wanted = samples.filter(holds).length;
      expect(wanted).toBeGreaterThan(0);
      expect(await status.textContent()).toBe(
        `${wanted} of 800 samples match, ${Math.min(wanted, 50)} listed`,
      );
    };
    await expectMatches(() => true);
    await choose('Benchmark', 'CWEval');
    await expectMatches(({ verdict }) => verdict.benchmark === 'cweval');
    await choose('Language', 'c');
    await expectMatches(({ verdict }) => verdict.language === 'c');
    await choose('Weakness', 'CWE-125');
    await expectMatches(({ verdict }) => verdict.cwe === 'CWE-787');
    await choose('Weakness', 'all');
    await choose('Benchmark', 'Our suite');
    expect(await status.textContent()).toBe('0 of 800 samples match, 0 listed');
    await choose('Language', 'all');
    await choose('Model', 'tuned');
    await choose('Weakness', 'CWE-89');
    await choose('Prompt', 'weaknesses named');
    await expectMatches(
      ({ model, verdict }) =>
        model === 'tuned' &&
        verdict.benchmark === 'suite' &&
        verdict.cwe === 'CWE-89' &&
        verdict.variant === 'specific',
    );
    await section.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('800 of 800 samples match').waitFor();
    await choose('Verdict', 'functional, insecure');
    await expectMatches(
      ({ verdict }) => verdict.benchmark !== 'guard' && outcomeOf(verdict) === 'functional, insecure',
    );
    await choose('Verdict', 'all');
    await choose('Reason', 'sandboxFailed');
    await expectMatches(({ verdict }) => verdict.unknown);
    await section.getByRole('button', { name: 'Reset' }).click();
    await section.getByRole('button', { name: 'Show more' }).click();
    expect(await page.locator('#sample-list > li').count()).toBe(100);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('follows a line of a table to its samples', async () => {
    const { page } = await open();
    const status = page.locator('#samples').getByRole('status');
    const [suite, cweval] = [page.locator('#benchmark-suite'), page.locator('#benchmark-cweval')];
    await suite.getByRole('link', { name: 'CWE-1236' }).click();
    expect(await status.textContent()).toBe('32 of 800 samples match, 32 listed');
    await suite.getByRole('link', { name: 'weaknesses named' }).click();
    expect(await status.textContent()).toBe('288 of 800 samples match, 50 listed');
    await cweval.getByText('By language', { exact: true }).click();
    await cweval.getByRole('link', { name: 'javascript' }).click();
    expect(await status.textContent()).toBe('32 of 800 samples match, 32 listed');
    await page.close();
  });

  it('opens a sample with all that is known of it, and the others of its task', async () => {
    const { page, complaints } = await open();
    await page.getByRole('combobox', { name: 'Benchmark' }).selectOption('CWEval');
    await page.getByLabel('Task or reason').fill('cwe_020_0 #0');
    const item = page.locator('#sample-list > li').filter({ hasText: 'base' });
    await item.locator('summary').click();
    await item.getByRole('heading', { name: 'Code that was graded' }).waitFor();
    const wanted = samples.find(
      ({ model, verdict }) =>
        model === 'base' && verdict.taskId === 'core/mixed/cwe_020_0' && verdict.sample === 0,
    );
    const { upstream } = wanted?.verdict ?? {};
    const facts = (await item.locator('dl').textContent()) ?? '';
    expect(facts).toContain(
      upstream
        ? `upstream's verdict${upstream.functional ? 'functional' : 'not functional'}, ${upstream.secure ? 'secure' : 'not secure'}`
        : 'it vanishes from its results',
    );
    const texts = await item.locator('pre').allTextContents();
    expect(texts.slice(0, 4)).toEqual([wanted?.prompt, wanted?.reasoning, wanted?.reply, wanted?.code]);
    await item.getByRole('button', { name: 'All samples of this task' }).click();
    await page.getByText('16 of 800 samples match').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('searches the packed texts when it is asked to', async () => {
    const { page } = await open();
    await page.getByLabel('Task or reason').fill('IT READS THE FILE');
    const status = page.locator('#samples').getByRole('status');
    expect(await status.textContent()).toBe('0 of 800 samples match, 0 listed');
    await page.getByLabel('search prompts, replies and logs too').check();
    await expect.poll(async () => await status.textContent()).toBe('800 of 800 samples match, 50 listed');
    await page.getByLabel('Task or reason').fill('avoid cwe-1236');
    await expect.poll(async () => await status.textContent()).toBe('16 of 800 samples match, 16 listed');
    await page.close();
  });

  it('filters the rows by kind, weakness, language, reason and text, and opens one', async () => {
    const { page, complaints } = await open();
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
    await data.locator('.browse summary').first().focus();
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

  it('can be used by keyboard alone', async () => {
    const { page, complaints } = await open();
    const focused = async (): Promise<string> =>
      await page.evaluate('document.activeElement.textContent.trim() || document.activeElement.id');
    const tabUntil = async (wanted: string | RegExp, most: number): Promise<void> => {
      for (let i = 0; i < most; i += 1) {
        await page.keyboard.press('Tab');
        const now = await focused();
        if (typeof wanted === 'string' ? now === wanted : wanted.test(now)) return;
      }
      throw new Error(`no ${String(wanted)} within ${most} tabs, but ${await focused()}`);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the scores');
    await tabUntil('Samples', 12);
    await page.keyboard.press('Enter');
    await tabUntil(/^sample-filter-text$/, 10);
    await page.keyboard.type('cwe_089_0 #3');
    await page.getByText('4 of 800 samples match').waitFor();
    await tabUntil(/cwe_089_0 #3/, 4);
    await page.keyboard.press('Enter');
    const details = page.locator('#sample-list details').first();
    await details.getByRole('heading', { name: 'Reply' }).waitFor();
    await tabUntil('All samples of this task', 1);
    // Long texts scroll by keyboard.
    await tabUntil(/^Write a python function/, 1);
    await page.keyboard.press('Escape');
    expect(await details.getAttribute('open')).toBeNull();
    expect(await focused()).toContain('cwe_089_0 #3');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows hostile rows and samples as text', async () => {
    const { page, complaints } = await browser.open(await hostilePage());
    const data = page.locator('#data');
    await data.getByLabel('Text').fill('document.title="owned"');
    await data.getByText('70 of 70 rows match').waitFor();
    await data.locator('.browse summary').first().click();
    await data.getByRole('heading', { name: 'Reason' }).waitFor();
    expect(await data.locator('details[open] pre').allTextContents()).toEqual([`${SHOWN}: ${SHOWN}`, SHOWN]);
    await page.getByLabel('Task or reason').fill('document.title');
    await page.locator('#sample-list summary').first().click();
    await page.getByRole('heading', { name: 'Reply' }).waitFor();
    const texts = await page.locator('#sample-list pre').allTextContents();
    // Prompt, reasoning, reply, code, failed tests, log.
    expect(texts).toEqual(Array.from({ length: 6 }, () => SHOWN));
    expect(await page.title()).toContain('</script><script>');
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('runs no script but its own', async () => {
    const { page, complaints } = await open();
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'document.title = "owned"';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="document.title = 1">');
    }`);
    await expect.poll(() => complaints.join('\n')).toContain('Content Security Policy');
    expect(await page.title()).toBe('quick · SecPI Pipeline');
    await page.close();
  });

  it.each(['light', 'dark'] as const)('can be read in the %s scheme', async (colorScheme) => {
    const { page } = await open({ colorScheme });
    await openEverything(page);
    const { contrast, text, count } = await worstContrast(page);
    expect(count).toBeGreaterThan(500);
    expect(contrast, text).toBeGreaterThanOrEqual(4.5);
    await page.close();
  });

  it('follows the dark scheme in its plots too', async () => {
    const { page } = await open({ colorScheme: 'dark' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 21, 26)');
    expect(await page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")).toBe(
      'rgb(228, 232, 238)',
    );
    await page.close();
  });

  it.each([390, 320])('fits a phone of %i pixels', async (width) => {
    const { page } = await open({ viewport: { width, height: 780 } });
    await openEverything(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await page.close();
  });

  it.skipIf(process.env['SECPI_UPDATE_DOCS'] === undefined)('has its picture taken', async () => {
    // Pictures must not pass for results.
    const run = { ...input.run, recipe: 'An example with made-up numbers' };
    const example = await renderHtml(buildSummary({ ...input, run }), samples, testDataRows());
    const open = browser.open.bind(browser, example);
    const light = await open({ viewport: { width: 1200, height: 1500 } });
    await light.page.screenshot({ path: path.join(IMAGES, 'report-light.png') });
    const dark = await open({ viewport: { width: 1200, height: 1100 }, colorScheme: 'dark' });
    await dark.page.getByLabel('Verdict').selectOption('functional, insecure');
    await dark.page.getByLabel('Task or reason').fill('#0');
    await dark.page.locator('#sample-list summary').first().click();
    await dark.page.getByRole('heading', { name: 'Log' }).waitFor();
    await dark.page.evaluate("document.querySelector('#samples').scrollIntoView()");
    await dark.page.screenshot({ path: path.join(IMAGES, 'report-dark.png') });
    const phone = await open({ viewport: { width: 390, height: 1400 }, deviceScaleFactor: 2 });
    await phone.page.screenshot({ path: path.join(IMAGES, 'report-phone.png') });
    expect(phone.complaints).toEqual([]);
    for (const { page } of [light, dark, phone]) await page.close();
  });
});

async function openEverything(page: Page): Promise<void> {
  await page.evaluate("for (const part of document.querySelectorAll('details.part')) part.open = true");
  await page.locator('#sample-list summary').first().click();
  await page.locator('#sample-list').getByRole('heading', { name: 'Log' }).waitFor();
}
