/** Every sample of the report as data inside the page: a small index, and the texts in compressed chunks read on demand. */
import { gzipSync } from 'node:zlib';
import type { VerdictRow } from '../../contract/rows.ts';
import { html, jsonElement, rawElement, type Html } from './html.ts';
import { outcomeOf } from './outcome.ts';
import { visible, visibleLine } from './visible.ts';

/** One generated program with all that is known of it. */
export interface ReportedSample {
  readonly model: 'base' | 'tuned';
  readonly verdict: VerdictRow;
  readonly prompt: string;
  /** Null when the endpoint gave none. */
  readonly reply: string | null;
  /** What was taken out of the reply and graded; null when nothing could be. */
  readonly code: string | null;
}

/** Samples of one chunk: small enough to open at once, large enough that equal prompts compress away. */
const CHUNK_SAMPLES = 200;

/**
 * The `<script>` data blocks. Texts are gzip in base64, so 40,000 samples stay small, the page opens before they
 * are read, and nothing a model wrote stands in the file as text.
 */
export function sampleData(samples: readonly ReportedSample[]): Html {
  const sorted = [...samples].sort(
    (a, b) =>
      compare(a.verdict.taskId, b.verdict.taskId) ||
      a.verdict.sample - b.verdict.sample ||
      compare(a.model, b.model),
  );
  const index = sorted.map(({ model, verdict }) => [
    model,
    visibleLine(verdict.taskId),
    verdict.sample,
    verdict.cwe,
    outcomeOf(verdict),
    visibleLine(verdict.reason),
  ]);
  const chunks: Html[] = [];
  for (let start = 0; start < sorted.length; start += CHUNK_SAMPLES) {
    const texts = sorted.slice(start, start + CHUNK_SAMPLES).map(({ prompt, reply, code, verdict }) => ({
      prompt: visible(prompt),
      reply: reply === null ? null : visible(reply),
      code: code === null ? null : visible(code),
      failedTests: verdict.failedTests.map(visibleLine),
      log: visible(verdict.log),
    }));
    const packed = gzipSync(JSON.stringify(texts)).toString('base64');
    chunks.push(rawElement('script', packed, ` type="application/octet-stream" id="chunk-${chunks.length}"`));
  }
  return html`${jsonElement('sample-index', { chunkSamples: CHUNK_SAMPLES, samples: index })}${chunks}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
