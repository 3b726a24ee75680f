/** The card of an exported dataset: front matter that the hub and `datasets` read, then what people want to know. Pure. */
import { licenseLines, table, yaml } from '../hubCard.ts';

export interface DatasetAbout {
  readonly name: string;
  /** Of the traces artefact. */
  readonly fingerprint: string;
  readonly contentSha256: string;
  readonly createdAt: string;
  readonly teacher: { readonly model: string; readonly revision: string };
  readonly classifier: { readonly model: string; readonly revision: string } | null;
  readonly judge: { readonly model: string; readonly revision: string } | null;
  readonly promptVersion: string;
  /** Whether the teacher's instructions stayed in the pairs (an ablation). */
  readonly keepPromptInPair: boolean;
  readonly sources: readonly { readonly name: string; readonly license: string }[];
  /** Tasks that the teacher was asked about. */
  readonly tasks: number;
  /** Rejected answers by reason. */
  readonly rejections: Readonly<Record<string, number>>;
  /** What was checked, a sentence each: "parses", "the row's own tests in a sandbox". */
  readonly oracles: readonly string[];
}

export interface DatasetTally {
  readonly rows: number;
  readonly languages: ReadonlyMap<string, number>;
  readonly cwes: ReadonlyMap<string, number>;
}

export function datasetCard(about: DatasetAbout, tally: DatasetTally): string {
  return `${frontMatter(about, tally)}\n${body(about, tally)}`;
}

function frontMatter({ name, sources }: DatasetAbout, { rows, languages }: DatasetTally): string {
  const tags = ['code', 'security', 'reasoning', 'synthetic', ...names(languages)];
  return [
    '---',
    `pretty_name: ${yaml(name)}`,
    ...licenseLines(sources.map(({ license }) => license)),
    'language:',
    '- code',
    'task_categories:',
    '- text-generation',
    'size_categories:',
    `- ${sizeCategory(rows)}`,
    'tags:',
    ...tags.map((tag) => `- ${yaml(tag)}`),
    'configs:',
    '- config_name: default',
    '  data_files:',
    '  - split: train',
    '    path: data/train-*.parquet',
    '---',
    '',
  ].join('\n');
}

function sizeCategory(rows: number): string {
  if (rows < 1000) return 'n<1K';
  const steps = [
    [10_000, '1K<n<10K'],
    [100_000, '10K<n<100K'],
    [1_000_000, '100K<n<1M'],
  ] as const;
  return steps.find(([below]) => rows < below)?.[1] ?? '1M<n<10M';
}

function body(about: DatasetAbout, { rows, languages, cwes }: DatasetTally): string {
  const prompt = about.keepPromptInPair
    ? "the teacher's whole prompt, security text included (an ablation)"
    : 'the bare task, without any security text';
  const rejected = Object.values(about.rejections).reduce((sum, times) => sum + times, 0);
  const parts = [
    `# ${about.name}`,
    `${rows} pairs of a coding task and a teacher's reasoning with its program, made to teach a model to write secure code without being asked. Kept of ${about.tasks} tasks; ${rejected} answers were rejected.`,
    '## Columns',
    table(
      ['column', 'type', 'what it is'],
      [
        ['index', 'int', 'place of the task in the filtered dataset'],
        ['id', 'string', 'id of the task in its source'],
        ['prompt', 'list of {role, content}', prompt],
        ['reasoning', 'string', "the teacher's thoughts"],
        ['answer', 'string', 'its answer with the program in a fenced block'],
        [
          'messages',
          'list of {role, content}',
          'prompt and reply, the reasoning between `<think>` and `</think>`',
        ],
        ['language', 'string', 'programming language, null where unknown'],
        ['cwes', 'list of string', 'weaknesses that a naive solution could carry, likeliest first'],
        ['group', 'int', 'tasks that nearly repeat each other share it: a split must not tear a group apart'],
      ],
    ),
    '## Languages',
    table(['language', 'pairs'], byCount(languages)),
    '## Weaknesses',
    'A pair counts for each of its CWEs.',
    table(['CWE', 'pairs'], byCount(cwes)),
    '## How it was made',
    table(
      ['step', 'by'],
      [
        ['filter', about.classifier === null ? 'none (every task was kept)' : modelName(about.classifier)],
        ['teacher', modelName(about.teacher)],
        ['prompt version', `\`${about.promptVersion}\``],
        ['judge', about.judge === null ? 'none' : modelName(about.judge)],
        ['checks', about.oracles.join('; ')],
        ['made', about.createdAt],
        ['fingerprint', `\`${about.fingerprint}\``],
        ['content SHA-256', `\`${about.contentSha256}\``],
      ],
    ),
    '## Rejected answers',
    rejected === 0
      ? 'None.'
      : table(['reason', 'answers'], byCount(new Map(Object.entries(about.rejections)))),
    '## Sources and licences',
    table(
      ['source', 'licence'],
      about.sources.map(({ name, license }) => [name, license]),
    ),
    "The programs were written by a model. Checks found no fault in them, which is no proof that there is none. The teacher model's terms of use may apply to its answers.",
  ];
  return `${parts.join('\n\n')}\n`;
}

function modelName({ model, revision }: { readonly model: string; readonly revision: string }): string {
  return `\`${model}\` (revision \`${revision}\`)`;
}

function byCount(counts: ReadonlyMap<string, number>): string[][] {
  return [...counts]
    .sort(([left, more], [right, fewer]) => fewer - more || (left < right ? -1 : 1))
    .map(([name, times]) => [name, String(times)]);
}

function names(counts: ReadonlyMap<string, number>): string[] {
  return byCount(counts).flatMap(([name]) => (name === undefined || name === 'unknown' ? [] : [name]));
}
