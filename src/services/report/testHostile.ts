/** A report in which every name and text that a user, a dataset or a model gives is an attack. */
import { buildSummary } from './buildSummary.ts';
import type { DataRows } from './data/collect.ts';
import { renderHtml } from './page.ts';
import { testRun } from './testRun.ts';
import { testDataRows, testSamples } from './testSamples.ts';

export const HOSTILE =
  '</script><script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'"><!-- \u202e\u001b[2J ${1}';

/** What a reader sees of it. */
export const SHOWN = HOSTILE.replace('\u202e', '⟨U+202E⟩').replace('\u001b', '⟨U+001B⟩');

export async function hostilePage(): Promise<string> {
  const input = testRun();
  const [first, ...rest] = testSamples(input);
  const [suite, ...others] = input.benchmarks;
  const [task, ...tasks] = suite?.tasks ?? [];
  if (first === undefined || suite === undefined || task === undefined)
    throw new Error('the test run is empty');
  const verdict = {
    ...first.verdict,
    reason: HOSTILE,
    log: HOSTILE,
    failedTests: [HOSTILE],
    language: HOSTILE,
  };
  const sample = { ...first, verdict, prompt: HOSTILE, reply: HOSTILE, reasoning: HOSTILE, code: HOSTILE };
  const summary = buildSummary({
    ...input,
    run: { ...input.run, recipe: HOSTILE, workflowId: HOSTILE },
    labels: { base: HOSTILE, tuned: HOSTILE },
    models: { ...input.models, base: { ...input.models.base, model: HOSTILE } },
    benchmarks: [
      {
        ...suite,
        tasks: [{ ...task, language: HOSTILE, scenario: HOSTILE }, ...tasks],
        references: { tasks: 18, repeats: 1, failed: [HOSTILE], flaky: [HOSTILE] },
        versions: { [HOSTILE]: HOSTILE },
        excluded: [HOSTILE],
      },
      ...others,
    ],
    skipped: [{ name: 'baxbench', reason: HOSTILE }],
    stages: input.stages.map((stage) => ({ ...stage, name: HOSTILE })),
    counts: { [HOSTILE]: { [HOSTILE]: 1 } },
    versions: { [HOSTILE]: HOSTILE },
    data: {
      filter: { in: 1, [HOSTILE]: 1 },
      distil: { accepted: 1 },
      rejections: { [HOSTILE]: 1 },
      cwes: { [HOSTILE]: 1 },
      languages: { [HOSTILE]: 1 },
      calibration: null,
    },
  });
  return await renderHtml(summary, [sample, ...rest], hostileRows());
}

function hostileRows(): DataRows {
  const { totals, rows } = testDataRows();
  const hostile = { id: HOSTILE, language: HOSTILE, reason: HOSTILE, detail: HOSTILE };
  const texts = [{ title: 'Task', text: HOSTILE }];
  return { totals, rows: rows.map((row) => ({ ...row, ...hostile, texts })) };
}
