/** The rows of the report as data inside the page: an index to filter by, and the texts packed beside it. */
import type { DataRows } from './data/collect.ts';
import { kindWords } from './dataSection.ts';
import { html, jsonElement, type Html } from './html.ts';
import { pack, packedElement } from './packed.ts';
import { visible, visibleLine } from './visible.ts';

/** Every mark that could act is spelled out. */
export async function dataBlock({ rows }: DataRows): Promise<Html> {
  const index = rows.map(({ kind, index, id, sample, language, cwes, reason }) => ({
    kind,
    word: kindWords[kind],
    index,
    id: visibleLine(id),
    sample,
    language: language === null ? null : visibleLine(language),
    cwes,
    reason: reason === null ? null : visibleLine(reason),
  }));
  const texts = rows.map(({ detail, texts }) => ({
    detail: detail === null ? null : visible(detail),
    texts: texts.map(({ title, text }) => ({ title, text: visible(text) })),
  }));
  return html`${jsonElement('data-index', index)}${packedElement('data-texts', await pack(texts))}`;
}
