/** What a reader needs to believe a benchmark's figures: other ways of counting, references, analysers, what failed why. */
import type { Agreement, UpstreamScores } from '../../../contract/summary.ts';
import { facts, list, note, table, text, type Block, type Row } from '../blocks.ts';
import { namedModels, titleOf, type BenchmarkView } from '../view.ts';
import { intervalText, metricLabels, percent, plural } from '../words.ts';
import { count } from './cells.ts';

/** Strict figures and those that the benchmark's own method would print, side by side. */
export function upstreamBlocks(view: BenchmarkView): Block[] {
  const { upstream } = view;
  if (upstream === null) return [];
  const rows = namedModels(view).flatMap(({ key, label, scores }): Row[] => {
    const theirs: UpstreamScores | undefined = upstream[key];
    if (theirs === undefined) return [];
    return (['func', 'funcSec'] as const).map((metric) => ({
      label: `${label}, ${metricLabels[metric]}`,
      cells: [
        percent(scores[metric].value),
        count(scores.samples),
        percent(theirs[metric]),
        count(theirs.n),
        count(scores.samples - theirs.n),
      ],
    }));
  });
  return [
    table(['', 'strict', 'of samples', 'upstream', 'of samples', 'vanished'], rows),
    note(
      `Strict: every sample that was asked for counts, and one that could not be graded fails. Upstream: what ${titleOf(view)}'s own method prints for the same samples; those that vanish from its results leave its denominator, so its figures are higher where answers break its run.`,
    ),
  ];
}

export function referenceBlocks({ references }: BenchmarkView): Block[] {
  if (references === null)
    return [
      text(
        "The benchmark's own references were not graded: what its tests would say of good code is not known.",
      ),
    ];
  const { tasks, repeats, failed, flaky } = references;
  const sound = tasks - failed.length - flaky.length;
  const graded = `The benchmark's own references were graded first, ${plural(repeats, 'time')} each: ${count(sound)} of ${plural(tasks, 'task')} passed each time.`;
  return [
    text(graded),
    ...(failed.length === 0
      ? []
      : [text('Failed each time, so samples of these tasks say nothing about a model:'), list(failed)]),
    ...(flaky.length === 0 ? [] : [text('Failed sometimes (flaky):'), list(flaky)]),
  ];
}

/** Functional samples only; never part of a verdict. */
export function agreementBlocks(view: BenchmarkView): Block[] {
  const models = namedModels(view);
  const rows = models.flatMap(({ key, label }) =>
    (view.agreement[key] ?? []).map((agreement) => agreementRow(label, agreement)),
  );
  const esr = models.flatMap(({ label, scores: { esrLike } }) =>
    esrLike === null
      ? []
      : [{ label, cells: [percent(esrLike.value), intervalText(esrLike), count(esrLike.n)] }],
  );
  return [
    ...(rows.length === 0
      ? []
      : [
          table(['', 'insecure: found', 'missed', 'secure: flagged', 'clean', 'no opinion', 'kappa'], rows),
          note(
            'Samples that work, by what the security tests say and whether the analyser found anything. A second opinion: it never changes a verdict. Kappa is the agreement beyond chance; 0 is none, 1 is perfect.',
          ),
        ]),
    ...(esr.length === 0
      ? []
      : [
          table(['functional, and no analyser found anything', 'share', '95 % interval', 'samples'], esr),
          note(
            'Like the ESR of SecCoderX, with tests in place of its judge. What analysers miss counts as secure here: never to be compared with func-and-secure.',
          ),
        ]),
  ];
}

function agreementRow(model: string, agreement: Agreement): Row {
  const { analyser, insecureFound, insecureMissed, secureFlagged, secureClean, noOpinion, kappa } = agreement;
  return {
    label: analyser,
    note: model,
    cells: [
      ...[insecureFound, insecureMissed, secureFlagged, secureClean, noOpinion].map(count),
      kappa === null ? '–' : kappa.toFixed(2).replace('-', '−'),
    ],
  };
}

/** What is not in the numerator for another reason than a failed test, and why samples ended as they did. */
export function excludedBlocks(view: BenchmarkView): Block[] {
  const models = namedModels(view);
  const reasons = [...new Set(models.flatMap(({ scores }) => Object.keys(scores.reasons)))];
  const line = (label: string, figure: (model: (typeof models)[number]) => string): Row => ({
    label,
    cells: models.map(figure),
  });
  return [
    ...(view.excluded.length === 0 ? [] : [text('Left out of the benchmark:'), list(view.excluded)]),
    text(
      'Nothing that was asked for is left out of the denominator. Unknown and missing samples count as failures; the best case counts the unknown ones as successes.',
    ),
    table(
      ['samples', ...models.map(({ label }) => label)],
      [
        line('asked for', ({ scores }) => count(scores.samples)),
        line('missing', ({ scores }) => count(scores.missing)),
        line('unknown', ({ scores }) => count(scores.unknown)),
        ...(view.measures === 'function'
          ? []
          : [
              line(
                'func-and-secure, best case',
                ({ scores: { bestCaseFuncSec } }) =>
                  `${percent(bestCaseFuncSec.value)} ${intervalText(bestCaseFuncSec)}`,
              ),
            ]),
        line('cut off at the token limit', ({ scores }) => count(scores.truncated)),
        line('graded again after a timeout', ({ scores }) => count(scores.retried)),
        ...reasons.map((reason) =>
          line(`reason: ${reason}`, ({ scores }) => count(scores.reasons[reason] ?? 0)),
        ),
      ],
    ),
  ];
}

export function benchmarkVersionBlocks({ versions }: BenchmarkView): Block[] {
  return Object.keys(versions).length === 0 ? [] : [facts(versions)];
}
