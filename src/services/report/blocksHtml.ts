/** Blocks as HTML. */
import type { Block, Cell, Row } from './blocks.ts';
import { html, type Html } from './html.ts';

export function blocksHtml(blocks: readonly Block[]): Html {
  return html`${blocks.map(blockHtml)}`;
}

function blockHtml(block: Block): Html {
  switch (block.kind) {
    case 'heading':
      return html`<h3>${block.text}</h3>`;
    case 'text':
      return html`<p>${block.text}</p>`;
    case 'note':
      return html`<p class="muted">${block.text}</p>`;
    case 'list':
      return html`<ul>
        ${block.items.map((item) => html`<li>${item}</li>`)}
      </ul>`;
    case 'facts':
      return html`<dl>
        ${Object.entries(block.entries).map(
          ([name, text]) =>
            html`<dt>${name}</dt>
              <dd>${text}</dd>`,
        )}
      </dl>`;
    case 'table':
      return tableHtml(block);
  }
}

/** A table that scrolls by itself, by keyboard too, where the page is narrow. */
function tableHtml({ scores, header, rows }: Block & { kind: 'table' }): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${header.filter(Boolean).join(', ')}">
    <table${scores ? html` class="scores"` : ''}>
      <thead>
        <tr>
          ${header.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => rowHtml(row, header.length))}
      </tbody>
    </table>
  </div>`;
}

function rowHtml(row: Row, columns: number): Html {
  const label = html`${labelHtml(row)}${row.note === undefined ? '' : html` <span class="muted">${row.note}</span>`}`;
  if (row.kind === 'group')
    return html`<tr class="group">
      <th scope="rowgroup" colspan="${columns}">${label}</th>
    </tr>`;
  return html`<tr${row.kind === 'primary' ? html` class="primary"` : ''}><th scope="row">${label}</th>${row.cells.map(cellHtml)}</tr>`;
}

function labelHtml({ label, anchor, filter }: Row): Html {
  if (filter !== undefined)
    return html`<a href="#samples" data-filter="${JSON.stringify(filter)}">${label}</a>`;
  return anchor === undefined ? html`${label}` : html`<a href="#${anchor}">${label}</a>`;
}

function cellHtml(cell: Cell): Html {
  if (typeof cell === 'string') return html`<td class="number">${cell}</td>`;
  if ('text' in cell) return html`<td>${cell.text}</td>`;
  if ('code' in cell) return html`<td><code>${cell.code}</code></td>`;
  return html`<td class="number">
    ${cell.value}${cell.below.map((line) => html`<span class="interval">${line}</span>`)}
  </td>`;
}
