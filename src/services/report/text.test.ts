import { describe, expect, it } from 'vitest';
import { buildSummary } from './buildSummary.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTable } from './table.ts';
import { testRun } from './testRun.ts';
import { visible, visibleLine } from './visible.ts';
import { conclusion, duration, percent, points, pText, usd } from './words.ts';

const input = testRun();
const summary = buildSummary(input);

describe('renderTable', () => {
  it('shows both models with intervals, the difference with p, and n', () => {
    const table = renderTable(summary);
    expect(table).toMatch(
      /^func-and-secure +9\.0 % \[5\.8, 12\.5\] +25\.7 % \[16\.4, 33\.3\] +\+16\.7 \[\+8\.3, \+23\.6\] p 0\.007$/m,
    );
    expect(table).toContain('each model n = 144 samples, 18 tasks of 14 scenarios');
    expect(table).toContain('reused: distil');
    for (const line of table.split('\n').slice(0, 8)) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('shows one model alone', () => {
    const { tuned: _, ...alone } = input;
    const table = renderTable(buildSummary(alone));
    expect(table.split('\n')[0]?.trim()).toBe('model');
    expect(table).not.toContain('tuned −');
  });

  it('lets no terminal escape through', () => {
    const stages = input.stages.map((stage) => ({ ...stage, name: '\u001b[2Jgone', reused: true }));
    const table = renderTable(buildSummary({ ...input, stages, benchmark: 'a\u001b]0;x\u0007' }));
    expect(['\u001b', '\u0007'].filter((control) => table.includes(control))).toEqual([]);
    expect(table).toContain('a⟨U+001B⟩]0;x⟨U+0007⟩');
  });
});

describe('renderMarkdown', () => {
  it('has the scores, the groups, the stages and the formulas', () => {
    const text = renderMarkdown(summary);
    expect(text).toContain('| func-and-secure | 9.0 % \\[5.8, 12.5\\] |');
    expect(text).toContain('## held-out CWEs');
    expect(text).toContain('**SecRatio**: func-and-secure@1 / func@1');
  });

  it('keeps names from becoming markup or columns', () => {
    const run = { ...input.run, recipe: '[x](javascript:alert(1)) | <img src=x>\n# y' };
    const title = renderMarkdown(buildSummary({ ...input, run })).split('\n')[0];
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
