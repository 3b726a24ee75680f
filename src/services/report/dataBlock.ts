/** The rows of the report as data inside the page: an index to filter by, and the texts compressed beside it. */
import { gzipSync } from 'node:zlib';
import type { DataRows } from './data/collect.ts';
import { kindWords } from './dataSection.ts';
import { html, jsonElement, rawElement, type Html } from './html.ts';
import { visible, visibleLine } from './visible.ts';

/** Nothing a dataset or a model wrote stands in the file as text; every mark that could act is spelled out. */
export function dataBlock({ rows }: DataRows): Html {
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
  const packed = gzipSync(JSON.stringify(texts)).toString('base64');
  return html`${jsonElement('data-index', index)}${rawElement('script', packed, ' type="application/octet-stream" id="data-texts"')}`;
}
