/** Tables and lists of the HTML report. */
import { html, type Html } from './html.ts';

/** A table that scrolls by itself, by keyboard too, where the page is narrow. */
export function table(header: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${header.join(', ')}">
    <table>
      <thead>
        <tr>
          ${header.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

export function definitions(entries: Readonly<Record<string, string>>): Html {
  return html`<dl>
    ${Object.entries(entries).map(
      ([name, text]) =>
        html`<dt>${name}</dt>
          <dd>${text}</dd>`,
    )}
  </dl>`;
}
