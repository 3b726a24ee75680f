/** A night as a receiver reads it: its facts as JSON, or a message of Slack. Equal nights give equal bytes. Pure. */
import type { NightResult, NotifyTarget } from '../../contract/workflows.ts';

/** Bounds of Slack's section block and header, in characters. */
const SECTION_CHARACTERS = 3000;
const HEADER_CHARACTERS = 150;

export interface NightRun {
  readonly workflowId: string;
  readonly firstRunId: string;
}

export function messageOf(format: NotifyTarget['format'], night: NightResult, run: NightRun): string {
  switch (format) {
    case 'json':
      return JSON.stringify({ type: 'secpi.night', version: 1, ...run, ...night });
    case 'slack':
      return JSON.stringify(slackMessage(night, run));
  }
}

function slackMessage(night: NightResult, { workflowId }: NightRun): object {
  const { series, state, sentences, benchmarks, model, report } = night;
  const title = cut(`${series}: ${state}`, HEADER_CHARACTERS);
  const figures = benchmarks.map(
    ({ name, metric, score, baseline }) =>
      `*${name}* ${metric} ${percent(score.value)} (baseline ${percent(baseline.score.value)}, ${score.n} samples)`,
  );
  return {
    text: escape(title),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title } },
      section([...sentences.map((sentence) => `• ${escape(sentence)}`), ...figures].join('\n')),
      section(escape(`${model}\n${report.report.uri}\nrun ${workflowId}, ${night.at}`)),
    ],
  };
}

function section(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, SECTION_CHARACTERS) } };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Slack reads these three as markup; the rest of a name is shown as it stands. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}
