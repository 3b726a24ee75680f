/** Lists that the page's script fills, with the form that filters them. */
import { html, type Html } from './html.ts';

/** `name` is what the script knows the list by; it stands before every id. */
export function browser(name: string, label: string, filters: readonly Html[]): Html {
  return html`<noscript><p>This list needs JavaScript. Everything above does not.</p></noscript>
    <form id="${name}-filters" class="filters" aria-label="${label}" autocomplete="off">
      ${filters}
      <button type="reset">Reset</button>
    </form>
    <p id="${name}-status" role="status"></p>
    <ol id="${name}-list" class="browse"></ol>
    <button type="button" id="${name}-more" hidden>Show more</button>`;
}

/** Options are pairs of value and label. */
export function select(
  list: string,
  name: string,
  title: string,
  options: readonly (readonly [string, string])[],
): Html {
  const id = `${list}-filter-${name}`;
  return html`<label for="${id}"
    >${title}<select id="${id}">
      <option value="">all</option>
      ${options.map(([value, label]) => html`<option value="${value}">${label}</option>`)}
    </select></label
  >`;
}

export function searchField(list: string, name: string, title: string): Html {
  const id = `${list}-filter-${name}`;
  return html`<label for="${id}">${title}<input id="${id}" type="search" /></label>`;
}

export function checkbox(list: string, name: string, title: string): Html {
  const id = `${list}-filter-${name}`;
  return html`<label for="${id}" class="check"><input id="${id}" type="checkbox" />${title}</label>`;
}
