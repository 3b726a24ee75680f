/** Text to HTML, escaped by construction. */
import { SecpiError } from '../../contract/errors.ts';
import { visible } from './visible.ts';

/** HTML that is safe to insert as it is. Made only by `html` and `trusted`. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Part = string | number | Html | readonly Part[] | null;

/** Template tag: every string that is put in is escaped, for element content and quoted attributes alike. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(literals.reduce((text, literal, i) => text + render(parts[i - 1] ?? null) + literal));
}

/** For our own markup only (plots), never for text from a user or a model. */
export function trusted(text: string): Html {
  return new Html(text);
}

function render(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escapeHtml(visible(part));
  if (typeof part === 'number') return String(part);
  return part.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/**
 * `<style>` and `<script>` with exactly this content, since its hash is what the page's policy allows and formatters
 * indent template literals. Not for text that may hold `</`.
 */
export function rawElement(name: 'style' | 'script', content: string, attributes = ''): Html {
  if (content.includes(`</${name}`))
    throw new SecpiError('INTERNAL', `The text of a <${name}> would end it.`);
  return new Html(`<${name}${attributes}>${content}</${name}>`);
}

/** Data for the page's script. No `<` is left that could end the element or open a comment. */
export function jsonElement(id: string, value: unknown): Html {
  return rawElement(
    'script',
    JSON.stringify(value).replaceAll('<', '\\u003c'),
    ` type="application/json" id="${id}"`,
  );
}
