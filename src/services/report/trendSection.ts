/** The nights of a series in the HTML page, benchmark by benchmark. */
import type { BenchmarkTrend, Trend } from '../../contract/trend.ts';
import { figure } from './benchmarkSection.ts';
import { blocksHtml } from './blocksHtml.ts';
import { nightBlocks, tonightBlocks } from './content/trend.ts';
import { html, type Html } from './html.ts';
import { trendPlot } from './plots/trend.ts';
import { titleOf } from './view.ts';

/** A table of more would only be scrolled past; the plot has all. */
const MOST_NIGHTS = 400;

export async function trendSection({ series, benchmarks }: Trend): Promise<Html> {
  return html`<section id="trend" aria-labelledby="trend-title">
    <h2 id="trend-title">Nights of ${series}</h2>
    ${await Promise.all(benchmarks.map(benchmarkHtml))}
  </section>`;
}

async function benchmarkHtml(trend: BenchmarkTrend): Promise<Html> {
  const { decision } = trend;
  const stands = decision.state === 'steady' || decision.state === 'collecting' ? '' : ' clear';
  return html`<h3>${titleOf(trend)}</h3>
    <div class="finding${stands}">${decision.sentences.map((sentence) => html`<p>${sentence}</p>`)}</div>
    ${figure(await trendPlot(trend), `${titleOf(trend)} by night`, 'Share by night with 95 % intervals for these tasks. The band is the baseline with its interval, grey stripes are missed nights. The exact test decides, not whether intervals overlap.')}
    ${blocksHtml(tonightBlocks(trend))}
    <details class="part">
      <summary><h3>Every night in figures</h3></summary>
      ${blocksHtml(nightBlocks(trend, MOST_NIGHTS))}
    </details>`;
}
