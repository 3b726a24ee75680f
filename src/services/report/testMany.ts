/** Tens of thousands of samples for tests of size and speed, with texts that pack no better than real ones. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { SummaryInput } from './buildSummary.ts';
import type { ReportedSample } from './samples/reported.ts';
import { testSamples } from './testSamples.ts';

const REPLY_CHARACTERS = 2000;
const LOG_CHARACTERS = 300;
/** Readable programs by many hands. */
const SOURCES = ['undici/lib', 'openai', 'vega-lite/src', 'zod/src', 'playwright-core/lib', 'vitest/dist'];
const STRIDE = 15_485_863;

/**
 * Each reply is another place of real source code: two replies share as little as programs of different people, where
 * answers of one model to one task share a lot. A sample a task in every benchmark comes first, as in a real run.
 */
export function manySamples(input: Pick<SummaryInput, 'benchmarks'>, count: number): ReportedSample[] {
  const code = realCode();
  const templates = testSamples(input);
  const excerpt = (i: number, characters: number): string => {
    const start = (i * STRIDE) % (code.length - characters);
    return code.slice(start, start + characters);
  };
  return Array.from({ length: count }, (_, i): ReportedSample => {
    const template = templates[i % templates.length];
    if (template === undefined) throw new Error('the test run has no samples');
    const program = excerpt(i, REPLY_CHARACTERS);
    const round = Math.floor(i / templates.length);
    return {
      ...template,
      verdict: {
        ...template.verdict,
        sample: template.verdict.sample + round * 8,
        log: excerpt(i * 3 + 1, LOG_CHARACTERS),
      },
      reply: `Here is the program.\n\n\`\`\`\n${program}\n\`\`\`\n`,
      code: program,
    };
  });
}

function realCode(): string {
  const modules = path.join(import.meta.dirname, '../../../node_modules');
  return SOURCES.flatMap((folder) => {
    const root = path.join(modules, folder);
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(js|ts|mjs)$/.test(name))
      .toSorted()
      .map((name) => readFileSync(path.join(root, name), 'utf8'));
  })
    .filter((text) => text.length / text.split('\n').length < 100)
    .join('\n');
}
