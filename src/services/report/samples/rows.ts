/** A sample as the page's script finds it: numbers in the index, texts in a chunk. */
import { isSuccess, outcomeOf, type Outcome } from '../outcome.ts';
import type { BenchmarkView } from '../view.ts';
import { visible, visibleLine } from '../visible.ts';
import type { ReportedSample } from './reported.ts';
import { cut, type TextRule } from './rules.ts';

/** A sample with what its benchmark makes of it. */
export interface PlacedSample extends ReportedSample {
  readonly outcome: Outcome;
}

/** By benchmark in the summary's order, task, variant, sample, model: samples of one task are alike and pack well. */
export function placeSamples(
  samples: readonly ReportedSample[],
  benchmarks: readonly Pick<BenchmarkView, 'name' | 'measures'>[],
): PlacedSample[] {
  const order = new Map(benchmarks.map(({ name }, i) => [name, i]));
  const measures = new Map(benchmarks.map(({ name, measures }) => [name, measures]));
  const rank = ({ verdict }: ReportedSample): number => order.get(verdict.benchmark) ?? order.size;
  return samples
    .toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        compare(a.verdict.taskId, b.verdict.taskId) ||
        compare(a.verdict.variant, b.verdict.variant) ||
        a.verdict.sample - b.verdict.sample ||
        compare(a.model, b.model),
    )
    .map((sample) => ({
      ...sample,
      outcome: outcomeOf(sample.verdict, measures.get(sample.verdict.benchmark)),
    }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Numbers of texts, each text once. */
export class Numbering {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.texts.length);
    this.texts.push(text);
    return this.texts.length - 1;
  }
}

/** In the order in which the page's script takes them apart. Places in the reply are [start, length]. */
export type TextRow = readonly [
  prompt: number,
  reply: string | null,
  reasoning: string | null,
  code: string | readonly [number, number] | null,
  log: string | null,
  reason: string,
  failedTests: readonly string[],
  upstream: readonly [boolean, boolean] | null,
  opinions: readonly (readonly [string, number | null, readonly string[]])[],
  attempts: number,
  truncated: 0 | 1,
  foundCwes: readonly string[],
];

export function textRow(sample: PlacedSample, rule: TextRule, prompts: Numbering): TextRow {
  const { verdict, outcome } = sample;
  const [reply, code] = replyAndCode(sample, rule);
  return [
    prompts.of(kept(sample.prompt, rule.prompt) ?? ''),
    reply,
    kept(sample.reasoning, rule.reasoning),
    code,
    kept(verdict.log, isSuccess(outcome) ? rule.successLog : rule.log),
    visibleLine(verdict.reason),
    verdict.failedTests.map(visibleLine),
    verdict.upstream && [verdict.upstream.functional, verdict.upstream.secure],
    verdict.opinions.map(({ name, findings, rules }) => [name, findings, rules.map(visibleLine)] as const),
    verdict.attempts,
    verdict.truncated ? 1 : 0,
    verdict.foundCwes,
  ];
}

/** Code stands in its reply nearly always: then it is only pointed at, and kept where what is beside it is cut. */
function replyAndCode(sample: PlacedSample, rule: TextRule): readonly [TextRow[1], TextRow[3]] {
  const code = kept(sample.code, rule.code);
  if (sample.reply === null) return [null, code];
  const reply = visible(sample.reply);
  const whole = sample.code === null ? '' : visible(sample.code);
  const start = whole === '' ? -1 : reply.indexOf(whole);
  if (start < 0 || code === null) return [cut(reply, rule.besideCode), code];
  const before = cut(reply.slice(0, start), rule.besideCode) ?? '';
  const after = cut(reply.slice(start + whole.length), rule.besideCode) ?? '';
  return [`${before}${code}${after}`, [before.length, code.length]];
}

function kept(text: string | null, limit: number): string | null {
  return text === null ? null : cut(visible(text), limit);
}
