import { describe, expect, it } from 'vitest';
import { buildSummary } from './buildSummary.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTable } from './table.ts';
import { testRun, testRunAlone } from './testRun.ts';
import { visible, visibleLine } from './visible.ts';
import { conclusion, duration, percent, points, pText, scoreText, usd } from './words.ts';

const input = testRun();
const summary = buildSummary(input);
const alone = buildSummary(testRunAlone());

describe('renderTable', () => {
  it('shows both models with intervals, the difference with p, and n', () => {
    const table = renderTable(summary);
    const { base, tuned } = summary.models;
    expect(table).toMatch(/^func-and-secure +9\.0 % \[/m);
    expect(table).toContain(scoreText(base.funcSec));
    expect(table).toContain(scoreText(tuned?.funcSec ?? base.funcSec));
    expect(table).toMatch(/\+16\.7 \[\+\d+\.\d, \+\d+\.\d\] p 0\.007$/m);
    expect(table).toContain('each model n = 144 samples, 18 tasks of 14 scenarios');
    expect(table).toContain('reused: distil');
    for (const line of table.split('\n').slice(0, 8)) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('has the headline of each benchmark, and what its figures do not say', () => {
    const lines = renderTable(summary).split('\n');
    expect(
      lines.filter((line) => ['Our suite', 'CWEval', 'Guard: plain programming'].includes(line)),
    ).toHaveLength(3);
    const guard = lines.slice(lines.indexOf('Guard: plain programming') + 1);
    expect(guard[1]).toMatch(/^func +\d/);
    expect(guard[2]).toBe('');
    const rest = lines.join('\n');
    expect(rest).toMatch(/upstream's own count, base: func [\d.]+ %, func-and-secure [\d.]+ % of n = \d+/);
    expect(rest).toContain(
      'references that did not hold: core/mixed/cwe_787_0 (failed), core/mixed/cwe_416_0 (flaky)',
    );
    expect(rest).toContain('left out: core/mixed/cwe_327_0: c++: g++ is missing on the workers.');
    expect(rest).toContain('BaxBench was left out: no worker has a container engine');
  });

  it('shows one model alone', () => {
    const table = renderTable(alone);
    expect(table.split('\n')[1]?.trim()).toBe('model');
    expect(table).not.toContain('tuned');
  });

  it('keeps long names of models from widening it', () => {
    const labels = { base: 'evaluation-of-a-very-long-name-1', tuned: 'evaluation-of-a-very-long-name-2' };
    const [, header] = renderTable({ ...summary, labels }).split('\n');
    expect(header?.trim()).toMatch(/^…-a-very-long-name-1 +…-a-very-long-name-2 +difference, points$/);
  });

  it('lets no terminal escape through', () => {
    const hostile = '\u001b[2Jgone\u001b]0;x\u0007';
    const stages = input.stages.map((stage) => ({ ...stage, name: hostile, reused: true }));
    const table = renderTable({
      ...buildSummary({ ...input, stages, skipped: [{ name: 'cweval', reason: hostile }] }),
      labels: { base: hostile, tuned: hostile },
    });
    expect(['\u001b', '\u0007'].filter((control) => table.includes(control))).toEqual([]);
    expect(table).toContain('⟨U+001B⟩[2Jgone⟨U+001B⟩]0;x⟨U+0007⟩');
  });
});

describe('renderMarkdown', () => {
  const text = renderMarkdown(summary);

  it('has the scores of every benchmark, what backs them, the stages and the formulas', () => {
    expect(text).toMatch(/^\| \*\*func-and-secure\*\* \| 9\.0 % \\\[/m);
    expect(text).toContain('## All benchmarks');
    const titles = [...text.matchAll(/^#{2,3} (.*)$/gm)].map(([, title]) => title);
    expect(titles).toEqual(expect.arrayContaining(['Our suite', 'CWEval', 'Guard: plain programming']));
    expect(titles).toEqual(
      expect.arrayContaining([
        'By weakness',
        'By prompt variant',
        'By language',
        'Strict and upstream',
        'References',
        'Static analysers beside the tests',
        'Excluded and unknown',
        'Data',
      ]),
    );
    expect(text).toContain('held-out CWEs');
    expect(text).toContain('**SecRatio**: func-and-secure@1 / func@1');
  });

  it('has only whole tables', () => {
    const columns = (line: string): number => line.replaceAll('\\|', '').split('|').length;
    const tables = text.split('\n\n').filter((block) => block.startsWith('| '));
    expect(tables.length).toBeGreaterThan(20);
    const torn = tables.filter((block) => new Set(block.split('\n').map(columns)).size > 1);
    expect(torn).toEqual([]);
  });

  it('stands for one model alone', () => {
    const [figures] = renderMarkdown(alone).split('## Formulas');
    expect(figures).toContain('| measure | model |');
    expect(figures).not.toContain('tuned');
  });

  it('keeps names from becoming markup or columns', () => {
    const run = { ...input.run, recipe: '[x](javascript:alert(1)) | <img src=x>\n# y' };
    const title = renderMarkdown({ ...summary, run }).split('\n')[0];
    expect(title).toBe('# \\[x\\](javascript:alert(1)) \\| \\<img src=x\\> \\# y');
  });
});

describe('words', () => {
  it.each([
    [percent(63 / 144), '43.8 %'],
    [points(-0.0004), '0.0'],
    [points(-0.042), '−4.2'],
    [points(0.042), '+4.2'],
    [pText(0.0004), '< 0.001'],
    [pText(0.0412), '0.041'],
    [pText(0.31), '0.31'],
    [usd(0), '$0.00'],
    [usd(0.0193), '$0.0193'],
    [usd(12.345), '$12.35'],
    [duration(0.42), '0.4 s'],
    [duration(245), '4 min 05 s'],
    [duration(12_000), '3 h 20 min'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  const evidence = { tasks: 18, scenarios: 14 };
  it('does not call a difference one unless test and interval agree', () => {
    const difference = { value: 0.1, low: 0.01, high: 0.2, n: 144 };
    expect(conclusion('func', { ...difference, pValue: 0.04 }, evidence)).toContain('rose by 10.0 points');
    expect(conclusion('func', { ...difference, pValue: 0.2 }, evidence)).toContain(
      'not distinguishable from noise',
    );
    expect(conclusion('func', { ...difference, low: -0.01, pValue: 0.04 }, evidence)).toContain(
      'not distinguishable',
    );
    expect(
      conclusion('func', { value: -0.1, low: -0.2, high: -0.01, n: 144, pValue: 0.0001 }, evidence),
    ).toContain(
      'fell by 10.0 points at n = 144 samples a model (18 tasks of 14 scenarios); 95 % interval −20.0 to −1.0, p < 0.001.',
    );
  });

  it('shows control and bidirectional marks instead of obeying them', () => {
    expect(visible('a\u001b[31m\u202eb\r\n\tc')).toBe('a⟨U+001B⟩[31m⟨U+202E⟩b\n\tc');
    expect(visibleLine('a\nb')).toBe('a b');
  });
});
