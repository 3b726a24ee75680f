/** What every page of ours stands in: one file that needs no network. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { html, rawElement, type Html } from './html.ts';

const style = readFileSync(new URL('page.css', import.meta.url), 'utf8');
const script = readFileSync(new URL('page.client.js', import.meta.url), 'utf8');

/** Only these two texts may style and act: whatever slips in from a model stays inert, and nothing can be fetched. */
const policyOf = (scripts: string): string =>
  `default-src 'none'; style-src '${hashOf(style)}'; script-src ${scripts}; base-uri 'none'; form-action 'none'`;

/** Of the texts that each page carries. */
export const FRAME_BYTES = Buffer.byteLength(style) + Buffer.byteLength(script);

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

export interface PageParts {
  readonly title: string;
  readonly top: Html;
  readonly main: Html;
  /** Data of the lists, outside of what is read; a page without lists runs no script. */
  readonly data?: Html;
}

export function renderPage({ title, top, main, data }: PageParts): string {
  const policy = policyOf(data === undefined ? "'none'" : `'${hashOf(script)}'`);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title} · SecPI Pipeline</title>
        ${rawElement('style', style)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the scores</a>
        ${top}
        <main id="main">${main}</main>
        ${data === undefined ? '' : html`${data}${rawElement('script', script)}`}
      </body>
    </html> `.text;
}

export interface PageTop {
  readonly title: string;
  readonly workflowId: string;
  readonly finishedAt: string;
  /** Sections by the id that leads to them. */
  readonly links: readonly (readonly [string, string])[];
}

export function pageTop({ title, workflowId, finishedAt, links }: PageTop): Html {
  return html`<header>
    <h1>${title}</h1>
    <p class="muted">
      SecPI Pipeline · ${workflowId} · finished
      <time datetime="${finishedAt}">${finishedAt.slice(0, 16).replace('T', ' ')} UTC</time>
    </p>
    <nav aria-label="Sections">
      <ul>
        ${links.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
      </ul>
    </nav>
  </header>`;
}
