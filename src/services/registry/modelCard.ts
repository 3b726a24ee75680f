/**
 * The card of a registered model: front matter that the hub reads, then what it was made of and what was measured.
 * Written from the entry alone, so the same entry gives the same card; no figure that was not measured. Pure.
 */
import { licenseLines, table, yaml } from '../hubCard.ts';
import type { Actor, CardSubject, ModelMetrics } from './entry.ts';

/** The form in which weights are handed out. */
export type ModelForm = 'merged' | 'adapter';

export function modelCard(subject: CardSubject, form: ModelForm = 'merged'): string {
  return `${frontMatter(subject, form)}\n${body(subject, form)}`;
}

function frontMatter({ base, lineage, hasAdapter }: CardSubject, form: ModelForm): string {
  const datasets = lineage.datasets.map(({ name }) => name);
  const licenses = [base.license, ...lineage.datasets.map(({ license }) => license)];
  return [
    '---',
    `base_model: ${yaml(hubId(base.uri))}`,
    ...(hasAdapter && form === 'adapter'
      ? ['base_model_relation: adapter']
      : ['base_model_relation: finetune']),
    ...licenseLines(licenses),
    ...(datasets.length === 0 ? [] : ['datasets:', ...datasets.map((name) => `- ${yaml(name)}`)]),
    `library_name: ${form === 'adapter' ? 'peft' : 'transformers'}`,
    'pipeline_tag: text-generation',
    'tags:',
    ...['code', 'security', 'reasoning', ...(hasAdapter ? ['lora'] : [])].map((tag) => `- ${yaml(tag)}`),
    '---',
    '',
  ].join('\n');
}

/** `hf:owner/name` as the hub writes it; other models by the uri they were named by. */
function hubId(uri: string): string {
  return uri.replace(/^(?:hf|embedded):/u, '');
}

function body(subject: CardSubject, form: ModelForm): string {
  const { name, version, base, lineage, metrics } = subject;
  return `${[
    `# ${name}, version ${version}`,
    `\`${base.uri}\` fine-tuned (method \`${methodOf(subject)}\`, ${metrics.steps} optimiser steps) on ${rowsOf(subject)}`,
    '## How to load it',
    usage(subject, form),
    '## What was measured',
    losses(metrics),
    '## What this card does not tell',
    'No benchmark of secure or functional code is part of this card, and no claim follows from the losses alone: a lower held-out loss says that the model predicts such traces better, not that its programs are secure. Evaluate it with the workflow `evaluateModel` before use. It is one training with one seed.',
    '## Lineage',
    lineageTable(subject),
    '## Licences',
    table(
      ['what', 'licence'],
      [
        [`base model \`${base.uri}\``, base.license],
        ...lineage.datasets.map((data) => [`dataset ${data.name}`, data.license]),
      ],
    ),
    'As the recipe and the dataset cards stated them; "unknown" is what nobody stated. The terms of the teacher model that wrote the traces may apply besides.',
    '## Settings',
    'All that decided the weights, as the fingerprint of the training holds them.',
    table(['setting', 'value'], leaves(lineage.settings)),
  ].join('\n\n')}\n`;
}

function rowsOf({ lineage }: CardSubject): string {
  const taught =
    'a reasoning trace that weighs the weaknesses a naive solution could carry, and the program that follows from it.';
  switch (lineage.traces.promptKept) {
    case true:
      return `coding tasks with the teacher's security instructions (an ablation), each with ${taught}`;
    case false:
      return `coding tasks worded without any hint at security, each with ${taught} The aim is a model that writes secure code without being asked to.`;
    case null:
      return `coding tasks, each with ${taught}`;
  }
}

function usage({ base }: CardSubject, form: ModelForm): string {
  const lines =
    form === 'adapter'
      ? [
          'from peft import PeftModel',
          'from transformers import AutoModelForCausalLM, AutoTokenizer',
          '',
          `base = "${hubId(base.uri)}"  # or the folder of these weights`,
          'tokenizer = AutoTokenizer.from_pretrained(base)',
          'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), "this-folder")',
        ]
      : [
          'from transformers import AutoModelForCausalLM, AutoTokenizer',
          '',
          'tokenizer = AutoTokenizer.from_pretrained("this-folder")',
          'model = AutoModelForCausalLM.from_pretrained("this-folder")',
        ];
  const serve =
    form === 'adapter'
      ? `vllm serve ${hubId(base.uri)} --enable-lora --lora-modules tuned=./this-folder`
      : 'vllm serve ./this-folder';
  return `${fenced('python', lines.join('\n'))}\n\n${fenced('sh', serve)}\n\nIt writes its reasoning first, up to \`</think>\`; the program stands after it.`;
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

function losses({ evalLossBefore, evalLossAfter, guardLossBefore, guardLossAfter }: ModelMetrics): string {
  const rows = [
    ['held-out traces', figure(evalLossBefore), figure(evalLossAfter), change(evalLossBefore, evalLossAfter)],
    ['guard rows', figure(guardLossBefore), figure(guardLossAfter), change(guardLossBefore, guardLossAfter)],
  ];
  return [
    table(['mean loss, nats per token', 'before', 'after', 'change'], rows),
    'Held-out traces are rows of the same traces that were kept out of training, split by groups of near-duplicates. Guard rows are general questions about programming and other things that nothing is trained on: a loss that rises there is forgetting.',
  ].join('\n\n');
}

function figure(loss: number | null): string {
  return loss === null ? 'not measured' : loss.toFixed(4);
}

function change(before: number | null, after: number | null): string {
  if (before === null || after === null) return '';
  const difference = after - before;
  return `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(4)}`;
}

function lineageTable(subject: CardSubject): string {
  const { artifact, contentSha256, base, lineage, metrics, createdAt, createdBy } = subject;
  const { code, course } = lineage;
  const quoted = (text: string): string => `\`${text}\``;
  return table(
    ['what', 'which'],
    [
      ['model', `${quoted(artifact.uri)}, content ${quoted(contentSha256)}`],
      [
        'base model',
        `${quoted(base.uri)}${base.revision === null ? '' : ` at ${quoted(base.revision)}`}, content ${quoted(base.contentSha256)}`,
      ],
      ...(lineage.traces.teacher === null ? [] : [['teacher', quoted(lineage.traces.teacher)]]),
      ['traces', `${quoted(lineage.traces.uri)}, content ${quoted(lineage.traces.contentSha256)}`],
      ...lineage.datasets.map(({ name, uri, contentSha256: content }) => [
        'dataset',
        `${name}${uri === null ? '' : `: ${quoted(uri)}`}${content === null ? '' : `, content ${quoted(content)}`}`,
      ]),
      ...(metrics.trainTokens === null
        ? []
        : [['tokens of one pass over the training rows', String(metrics.trainTokens)]]),
      ['settings', quoted(lineage.settingsSha256)],
      ['training code', `version ${code.train}, entered by package ${code.package}`],
      ...(Object.keys(code.libraries).length === 0 ? [] : [['libraries', librariesOf(code.libraries)]]),
      ...(course.device === null
        ? []
        : [['trained on', `${course.device}${course.precision === null ? '' : `, ${course.precision}`}`]]),
      ...(course.rollbacks === null || course.rollbacks === 0
        ? []
        : [['divergences', `${course.rollbacks} rolled back, each to a smaller learning rate`]]),
      ...(course.stoppedEarlyAtStep === null
        ? []
        : [['stopped early', `weights of step ${course.stoppedEarlyAtStep}, the best checkpoint`]]),
      ['entered', `${createdAt} by ${actorName(createdBy)}`],
    ],
  );
}

export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'run':
      return `run ${actor.workflowId} (${actor.runId})`;
    case 'person':
      return actor.name;
  }
}

function librariesOf(libraries: Readonly<Record<string, string>>): string {
  return Object.entries(libraries)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

function methodOf({ lineage }: CardSubject): string {
  const { method } = lineage.settings;
  return typeof method === 'string' ? method : 'unknown';
}

/** `lora.rank` → 16, in the order of the names. */
function leaves(value: unknown, path = ''): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[`\`${path}\``, `\`${JSON.stringify(value)}\``]];
  return Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`));
}
