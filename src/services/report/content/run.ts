/** How the numbers of a run came about: training, stages, money, rows, versions. */
import type { Usage } from '../../../contract/manifest.ts';
import type { Summary, TrainingSummary } from '../../../contract/summary.ts';
import { facts, note, table, text, type Block, type Row } from '../blocks.ts';
import { duration, plural, usd } from '../words.ts';
import { count } from './cells.ts';

export function trainingBlocks(training: TrainingSummary): Block[] {
  const { evalLossBefore, evalLossAfter, logitsMaxAbsDiff, steps, rows, resumedFromSteps } = training;
  return [
    facts({
      trained: `${plural(steps, 'step')} over ${plural(rows, 'trace')}`,
      'loss on held-out traces':
        evalLossBefore === null || evalLossAfter === null
          ? 'not measured'
          : `${evalLossBefore.toFixed(3)} → ${evalLossAfter.toFixed(3)}`,
      'largest change of a logit':
        logitsMaxAbsDiff === null
          ? 'not measured'
          : `${logitsMaxAbsDiff.toFixed(3)} after loading the exported adapter`,
      resumed:
        resumedFromSteps.length === 0 ? 'never: one piece' : `from step ${resumedFromSteps.join(', ')}`,
    }),
  ];
}

/** Each stage with what it published: the lineage from data to figures. */
export function stageBlocks({ stages, costUsd }: Summary): Block[] {
  const rows = stages.map(({ name, seconds, costUsd, rows, reused, artefact }): Row => ({
    label: name,
    cells: [
      duration(seconds),
      usd(costUsd),
      count(rows),
      reused ? 'reused' : 'made',
      artefact === null ? '–' : { code: artefact },
    ],
  }));
  return [
    ...(rows.length === 0 ? [] : [table(['stage', 'time', 'cost', 'rows', 'this run', 'artefact'], rows)]),
    text(`Cost of this run: ${usd(costUsd)}.`),
  ];
}

export function usageBlocks({ usage }: Summary): Block[] {
  const models = Object.entries(usage).flatMap(([name, used]) => (used === null ? [] : [{ name, used }]));
  if (models.length === 0) return [];
  const line = (label: string, cellOf: (used: Usage) => string): Row => ({
    label,
    cells: models.map(({ used }) => cellOf(used)),
  });
  return [
    note('What the artefacts above took, whichever run paid for it:'),
    table(
      ['', ...models.map(({ name }) => name)],
      [
        line('requests sent', (used) => count(used.requests)),
        line('of these without an answer, tried again', (used) => count(used.retries)),
        line('answers from the ledger, not paid again', (used) => count(used.ledgerHits)),
        line('prompt tokens', (used) => count(used.promptTokens)),
        line('completion tokens', (used) => count(used.completionTokens)),
        line('of these for reasoning', (used) => count(used.reasoningTokens)),
        line('cost in all', (used) => usd(used.costUsd)),
        line('of this for answers that a check rejected', (used) => usd(used.rejectedUsd)),
        line(
          'of this paid twice',
          (used) => `${plural(used.paidTwice, 'answer')}, ${usd(used.paidTwiceUsd)}`,
        ),
        line('of this for requests of unknown outcome, at worst', (used) => usd(used.unsettledUsd)),
      ],
    ),
  ];
}

export function countBlocks({ counts }: Summary): Block[] {
  const rows = Object.entries(counts).map(([stage, byName]): Row => ({
    label: stage,
    cells: [
      {
        text: Object.entries(byName)
          .map(([name, value]) => `${name} ${count(value)}`)
          .join(' · '),
      },
    ],
  }));
  return rows.length === 0 ? [] : [table(['stage', 'rows'], rows)];
}

export function versionBlocks({ run, versions }: Summary): Block[] {
  const { workflowId, runId, startedAt, finishedAt } = run;
  return [facts({ ...versions, workflow: workflowId, run: runId, started: startedAt, finished: finishedAt })];
}
