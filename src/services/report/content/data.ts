/** What became of the rows, how good the classifier is, and what was paid for. */
import type { exclusionReasons, RejectionReason } from '../../../contract/rows.ts';
import type { CalibrationSummary, DataSummary, Summary } from '../../../contract/summary.ts';
import { facts, heading, list, table, text, type Block, type Row } from '../blocks.ts';
import { intervalText, percent, plural, usd } from '../words.ts';
import { count } from './cells.ts';

const rowWords: readonly (readonly [string, string])[] = [
  ['in', 'read from the dataset'],
  ['kept', 'kept: a weakness is plausible'],
  ['dropped', 'dropped by the classifier'],
  ['duplicates', 'exact duplicates'],
  ['nearDuplicates', 'near-duplicates'],
  ['contaminated', 'contaminated: too like an evaluation task'],
  ['bad', 'bad: could not be processed'],
];

const reasonWords: Readonly<Record<RejectionReason | (typeof exclusionReasons)[number], string>> = {
  nearDuplicate: 'near-duplicate',
  truncated: 'cut off at the token limit',
  noReasoning: 'no reasoning',
  unbalancedThink: 'reasoning not closed',
  noCodeBlock: 'no code',
  codeDoesNotParse: 'code does not parse',
  testsFail: "fails the row's own tests",
  noTests: 'could not be tested',
  analyserFinding: 'a static analyser found a weakness',
  judgedInsecure: 'judged insecure by the judge model',
  contaminated: 'too like an evaluation task',
  overQuota: 'its weakness has enough traces',
  repetition: 'repeats itself',
  leaksInstructions: 'speaks of its instructions',
};

export function inWords(reason: string): string {
  return (reasonWords as Readonly<Record<string, string>>)[reason] ?? reason;
}

export function rowBlocks(data: DataSummary): Block[] {
  const { in: total = 0 } = data.filter;
  const rows = rowWords.flatMap(([name, words]) => {
    const value = data.filter[name];
    return value === undefined ? [] : [line(words, value, total)];
  });
  return [heading('Rows'), table(['rows', 'count', 'share'], rows)];
}

export function traceBlocks(data: DataSummary): Block[] {
  const rejected = Object.values(data.rejections).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries(data.rejections).map(([reason, count]) =>
    line(inWords(reason), count, rejected),
  );
  return [
    heading('Traces'),
    text(
      `${plural(data.distil['accepted'] ?? 0, 'trace')} accepted, ${plural(rejected, 'answer')} rejected; a task may have several answers.`,
    ),
    ...(reasons.length === 0 ? [] : [table(['rejected because', 'answers', 'share'], reasons)]),
  ];
}

export function dataFacts(data: DataSummary): Block[] {
  const named = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, value]) => `${name} ${count(value)}`)
      .join(' · ');
  return [
    facts({
      ...(Object.keys(data.cwes).length === 0 ? {} : { 'accepted by weakness': named(data.cwes) }),
      ...(Object.keys(data.languages).length === 0 ? {} : { 'accepted by language': named(data.languages) }),
    }),
    heading('Classifier against labelled rows'),
    ...(data.calibration === null
      ? [text('Not measured: the recipe names no labelled rows.')]
      : calibrationBlocks(data.calibration)),
  ];
}

function line(label: string, value: number, total: number): Row {
  return { label, cells: [count(value), total === 0 ? '–' : percent(value / total)] };
}

function calibrationBlocks(calibration: CalibrationSummary): Block[] {
  const { truePositives, falsePositives, falseNegatives, trueNegatives, unanswered } = calibration;
  const rates = (['precision', 'recall', 'f1'] as const).map((name): Row => {
    const rate = calibration[name];
    return {
      label: name === 'f1' ? 'F1' : name,
      cells: rate === null ? ['not measurable', '–'] : [percent(rate.value), intervalText(rate)],
    };
  });
  const labelled = truePositives + falsePositives + falseNegatives + trueNegatives;
  return [
    table(['', 'share', '95 % interval (exact)'], rates),
    text(
      `${plural(labelled, 'labelled row')}: ${truePositives} rightly kept, ${falsePositives} wrongly kept, ${falseNegatives} wrongly dropped, ${trueNegatives} rightly dropped; ${unanswered} without a usable answer, which are in no share.`,
    ),
  ];
}

/** A sentence a model. Answers that were used are what is left when the rest is taken off. */
export function moneyBlocks({ usage }: Summary): Block[] {
  const sentences = Object.entries(usage).flatMap(([name, used]) => {
    if (used === null) return [];
    const { costUsd, unsettledUsd, paidTwice, paidTwiceUsd, rejectedUsd } = used;
    const usefulUsd = Math.max(0, costUsd - unsettledUsd - paidTwiceUsd - rejectedUsd);
    return [
      `${name}: ${usd(costUsd)} in all. Used answers: ${usd(usefulUsd)}. Rejected answers: ${usd(rejectedUsd)}. Paid twice: ${plural(paidTwice, 'answer')}, ${usd(paidTwiceUsd)}. Requests of unknown outcome, at their worst case: ${usd(unsettledUsd)}. Tried again: ${plural(used.retries, 'request')}. Reasoning: ${plural(used.reasoningTokens, 'token')} of ${count(used.completionTokens)} completed.`,
    ];
  });
  return [heading('Money'), sentences.length === 0 ? text('No model was asked.') : list(sentences)];
}
