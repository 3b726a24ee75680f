import { describe, expect, it } from 'vitest';
import { buildSummary } from './buildSummary.ts';
import { renderHtml } from './page.ts';
import { hostilePage } from './testHostile.ts';
import { testRun, testRunAlone } from './testRun.ts';
import { testDataRows, testSamples } from './testSamples.ts';

const input = testRun();
const summary = buildSummary(input);

/** What a reader sees, without the marks. */
function textOf(page: string): string {
  return page
    .replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gs, ' ')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll(/\s+/g, ' ');
}

describe('renderHtml', () => {
  it('escapes everything that comes from users and models', async () => {
    const page = await hostilePage();
    for (const mark of ['<script>document', '<img', '<!--', '\u202e', '\u001b'])
      expect(page.includes(mark), mark).toBe(false);
    expect(page.match(/<\/script>/g)).toHaveLength(page.match(/<script[ >]/g)?.length ?? 0);
  });

  it('reaches for nothing outside itself', async () => {
    const page = await renderHtml(summary, testSamples(input), testDataRows());
    const withoutPacked = page.replaceAll(/<script type="application\/octet-stream"[^<]*<\/script>/g, '');
    const withoutNamespaces = withoutPacked.replaceAll(/xmlns(:xlink)?="[^"]*"/g, '');
    expect(withoutNamespaces).not.toMatch(/https?:\/\/|<link|<iframe|@import|url\(| style=/);
    expect(page).toMatch(
      /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-[^&]+&#39;; script-src &#39;sha256-/,
    );
  });

  it('has a section for each benchmark, the headline first, and says what was left out', async () => {
    const page = await renderHtml(summary, testSamples(input));
    expect([...page.matchAll(/<section id="(benchmark-\w+)"/g)].map(([, id]) => id)).toEqual([
      'benchmark-suite',
      'benchmark-cweval',
      'benchmark-guard',
    ]);
    const text = textOf(page);
    expect(text).toContain('BaxBench was left out: no worker has a container engine');
    expect(text).toContain('Tasks without security tests: what a model loses here, it forgot.');
    expect(text).toContain('Left out of the benchmark: core/mixed/cwe_327_0: c++: g++ is missing');
    expect(text).toContain('6 of 8 tasks passed each time');
    expect(text).toMatch(
      /Failed each time, .*: core\/mixed\/cwe_787_0 Failed sometimes \(flaky\): core\/mixed\/cwe_416_0/,
    );
  });

  it('sets upstream figures beside strict ones, with what vanished', async () => {
    const cweval = summary.benchmarks[1];
    const text = textOf(await renderHtml(summary, []));
    const [strict, theirs] = [cweval?.models.base, cweval?.upstream?.base];
    const share = (value = Number.NaN): string => `${(value * 100).toFixed(1)} %`;
    expect(text).toContain(
      `base, func ${share(strict?.func.value)} 64 ${share(theirs?.func)} ${theirs?.n} ${64 - (theirs?.n ?? 0)}`,
    );
  });

  it('says nothing of security where a benchmark has no security tests', async () => {
    const page = await renderHtml(summary, []);
    const guard = textOf(/<section id="benchmark-guard".*?<\/section>/s.exec(page)?.[0] ?? '');
    expect(guard).toContain('func');
    expect(guard).not.toMatch(/secure|SecRatio|held-out/);
  });

  it('stands for one model alone, and for two of any name', async () => {
    const alone = testRunAlone();
    const single = textOf(await renderHtml(buildSummary(alone), testSamples(alone)));
    expect(single.split('Formulas and versions')[1]).not.toContain('tuned');
    expect(single).toContain('Nothing is known about training, so nothing is split.');
    const labels = { base: 'qwen-7b', tuned: 'qwen-7b' };
    const compared = textOf(await renderHtml({ ...summary, labels }, []));
    expect(compared).toContain('qwen-7b (second) − qwen-7b (first)');
  });

  it('shows a summary of an older version, which knew one benchmark', async () => {
    const old = { ...summary, benchmarks: [] };
    const text = textOf(await renderHtml(old, testSamples(input)));
    expect(text).toContain('Our suite, each model n = 144 samples, 18 tasks of 14 scenarios');
  });

  it('tells the money apart in words, and how good the classifier is', async () => {
    const text = textOf(await renderHtml(summary, [], testDataRows()));
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
    const sampled = textOf(await renderHtml(summary, [], rows));
    expect(sampled).toContain('A sample of 70 of 1,064 rows and traces,');
    expect(sampled).toContain('kept 38 · dropped 6 of 1,000 · excluded 1');
    const whole = await renderHtml(summary, [], {
      ...rows,
      totals: { ...rows.totals, dropped: 6 },
    });
    expect(whole).toContain('All 70 rows and traces.');
  });

  it('has no section on data where a run made none', async () => {
    const page = await renderHtml({ ...summary, data: null }, testSamples(input));
    expect(page).not.toContain('id="data"');
    expect(page).not.toContain('#data');
  });
});
