/** One benchmark in the HTML page: scores and plots, then everything that backs them. */
import type { ModelScores } from '../../contract/summary.ts';
import { blocksHtml } from './blocksHtml.ts';
import { detailParts, weaknessPart, type Part } from './content/benchmark.ts';
import { conclusionsOf, scoreBlocks } from './content/scores.ts';
import { html, type Html } from './html.ts';
import { groupPlot, type PlottedGroup } from './plots/groups.ts';
import { intervalPlot } from './plots/intervals.ts';
import { anchorOf, primaryMetric, titleOf, type BenchmarkView } from './view.ts';
import { isDistinguishable } from './words.ts';

/** What backs the figures is open for the headline and folded for the others. */
export async function benchmarkSection(view: BenchmarkView, isHeadline: boolean): Promise<Html> {
  const id = anchorOf(view);
  const weaknesses = weaknessPart(view);
  const intervals = await intervalPlot(view);
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${titleOf(view)}</h2>
    ${isHeadline ? '' : findings(view)}
    <div class="plots">
      <div>${blocksHtml(scoreBlocks(view))}</div>
      ${figure(intervals, 'Shares with 95 % intervals', 'Share of samples with 95 % intervals. Overlapping intervals do not decide: the paired difference does.')}
    </div>
    ${weaknesses.blocks.length === 0 ? '' : await weaknessHtml(view, weaknesses, isHeadline)}
    ${detailParts(view).map((part) => partHtml(part, isHeadline))}
  </section>`;
}

/** Before and after by weakness, with families and languages beside, and the same in figures. */
async function weaknessHtml(view: BenchmarkView, part: Part, isOpen: boolean): Promise<Html> {
  const weaknesses = await groupPlot(view, ({ scores }) =>
    scores.perCwe.map((group) => ({
      name: group.seen === false ? `${group.cwe} ○` : group.cwe,
      scores: group,
    })),
  );
  const { perFamily, perLanguage } = view.models.base;
  const others = await groupPlot(view, ({ scores }) => [
    // One language says what the headline says.
    ...(perLanguage.length > 1 ? named(scores.perLanguage) : []),
    ...named(scores.perFamily),
  ]);
  return html`<h3>${part.title}</h3>
    <div class="plots">
      ${figure(weaknesses, 'func-and-secure by weakness', 'func-and-secure by weakness; ○ held out of training. Each line rests on few tasks: read the direction over all of them, not a single one.')}
      ${
        perFamily.length + perLanguage.length === 0
          ? ''
          : figure(
              others,
              'func-and-secure by language and family',
              'The same by language and by family of weaknesses.',
            )
      }
    </div>
    ${partHtml({ title: 'Weaknesses in figures', blocks: part.blocks }, isOpen)}`;
}

function named(groups: ModelScores['perLanguage']): PlottedGroup[] {
  return groups.map((group) => ({ name: group.name, scores: group }));
}

/** A part that can be folded; its table starts closed where it is not the headline's. */
function partHtml({ title, blocks }: Part, isOpen: boolean): Html {
  return html`<details class="part" ${isOpen ? html` open` : ''}>
    <summary><h3>${title}</h3></summary>
    ${blocksHtml(blocks)}
  </details>`;
}

export function findings(view: BenchmarkView): Html {
  const { difference } = view;
  if (difference === null) return html``;
  const clear = isDistinguishable(difference[primaryMetric(view)]);
  return html`<div class="finding${clear ? ' clear' : ''}">
    ${conclusionsOf(view).map((sentence) => html`<p>${sentence}</p>`)}
  </div>`;
}

export function figure(plot: Html, label: string, caption: string): Html {
  return html`<figure aria-label="${label}">
    ${plot}
    <figcaption>${caption}</figcaption>
  </figure>`;
}
