import { describe, expect, it } from 'vitest';
import { summarySchema } from '../../contract/summary.ts';
import { buildSummary } from './buildSummary.ts';
import { renderMarkdown } from './markdown.ts';
import { renderHtml } from './page.ts';
import { testRunAlone } from './testRun.ts';
import { testTrend } from './testTrend.ts';

const summary = buildSummary({ ...testRunAlone(), trend: testTrend() });

function sectionOf(page: string): string {
  return /<section id="trend".*?<\/section>/s.exec(page)?.[0] ?? '';
}

function textOf(html: string): string {
  return html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
}

describe('the nights of a report', () => {
  it('say what tonight is, what was looked at, what can be found and what was missed', async () => {
    const page = await renderHtml(summary, []);
    const text = textOf(sectionOf(page));
    expect(text).toContain('Nights of nightly &lt;coder&gt;');
    expect(text).toContain('suite: func-and-secure fell to 26.0 % tonight.');
    expect(text).toContain('baseline 3 44.0 % [40.0, 48.0]');
    expect(text).toContain('tonight, lower beyond chance 1 26.0 % −18.0 3.1e-7 4.6e-5');
    expect(text).toContain('the last nights together, lower 7 36.0 % −8.0 0.0012 4.6e-5');
    expect(text).toContain('A drop of 10.0 points is found the same night with probability 0.41.');
    expect(text).toContain('Missed: 3 nights; 3 between 2026-01-21 02:17 and 2026-01-25 02:17 (UTC).');
    expect(page).toContain('<a href="#trend">Nights</a>');
    expect(textOf(page)).toContain('exact conditional test of a common shift over strata');
  });

  it('list every night, the newest first', async () => {
    const rows = [...sectionOf(await renderHtml(summary, [])).matchAll(/<th scope="row">(2026[^<]*)/g)];
    expect(rows).toHaveLength(57);
    expect(rows[0]?.[1]).toContain('2026-03-01');
    expect(rows.at(-1)?.[1]).toContain('2026-01-01');
  });

  it('are drawn with a mark for each kind of night, without a style of its own', async () => {
    const section = sectionOf(await renderHtml(summary, []));
    for (const kind of ['baseline', 'as the baseline', 'lower', 'higher', 'not compared'])
      expect(section).toContain(`>${kind}</text>`);
    expect(section).not.toContain(' style=');
    expect(section).not.toContain('NaN');
  });

  it('are drawn from the first night on', async () => {
    const [suite] = testTrend().benchmarks;
    const [night] = suite?.nights ?? [];
    if (suite === undefined || night === undefined) throw new Error('the series has a night');
    const first = { ...suite, nights: [{ ...night, isBaseline: true, isComparable: true }], gaps: [] };
    const begun = { ...summary, trend: { series: 'new', benchmarks: [first] } };
    const section = sectionOf(await renderHtml(begun, []));
    expect(section).toContain('<svg');
    expect(section).not.toContain('NaN');
    expect(section).not.toContain('Missed');
  });

  it('stand in Markdown too, the last thirty of them', () => {
    const text = renderMarkdown(summary);
    expect(text).toContain('## Nights: Our suite');
    expect(text).toContain('| 2026-03-01 02:17 |');
    expect(text).not.toContain('| 2026-01-01 02:17');
    expect(text).toContain('The last 30 of 57 nights');
  });

  it('are nowhere where there is no series, and not in summaries of older versions', async () => {
    const plain = buildSummary(testRunAlone());
    expect(plain.trend).toBeNull();
    expect(await renderHtml(plain, [])).not.toContain('id="trend"');
    expect(plain.formulas).not.toHaveProperty('comparison of nights');
    const { trend: _, ...older } = plain;
    expect(summarySchema.parse(older).trend).toBeNull();
  });
});
