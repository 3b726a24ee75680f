/** The samples and data rows that go with the run of testRun. */
import type { VerdictRow } from '../../contract/rows.ts';
import type { SummaryInput } from './buildSummary.ts';
import type { DataRows } from './data/collect.ts';
import type { ReportedSample } from './samples/reported.ts';

const CODE = 'def read_upload(name):\n    return open(f"uploads/{name}", "rb").read()\n';

export function testSamples({ benchmarks }: Pick<SummaryInput, 'benchmarks'>): ReportedSample[] {
  return benchmarks.flatMap(({ tasks, base, tuned }) => {
    const byId = new Map(tasks.map((task) => [task.taskId, task]));
    const of = (model: ReportedSample['model'], rows: readonly VerdictRow[]): ReportedSample[] =>
      rows.map((verdict) => ({
        model,
        verdict,
        cwes: byId.get(verdict.taskId)?.cwes ?? [],
        prompt: byId.get(verdict.taskId)?.prompts[verdict.variant] ?? '',
        reply: `Here it is:\n\`\`\`python\n${CODE}\`\`\`\nIt reads the file.`,
        reasoning: verdict.sample === 0 ? 'The name comes from the user.' : null,
        code: verdict.extractable ? CODE : null,
      }));
    return [...of('base', base), ...of('tuned', tuned ?? [])];
  });
}

/** Every kind of row, 64 in all, and 1,000 dropped ones of which six are here. */
export function testDataRows(): DataRows {
  const rows = Array.from({ length: 70 }, (_, index): DataRows['rows'][number] => {
    const id = `task-${index}`;
    const cwes = [index % 3 === 0 ? 'CWE-89' : 'CWE-22'];
    const language = index % 4 === 0 ? 'c' : 'python';
    const task = { title: 'Task', text: `Write task number ${index}.` };
    const facts = { index, id, sample: null, language, cwes, detail: null, texts: [task] };
    if (index < 38) return { ...facts, kind: 'kept', stage: 'filter', reason: 'reads a path of the user' };
    if (index < 44) return { ...facts, kind: 'dropped', stage: 'filter', cwes: [], reason: 'plain sums' };
    if (index < 45) {
      const reason = 'nearDuplicate';
      return { ...facts, kind: 'excluded', stage: 'filter', cwes: [], reason, detail: '0.93 like row 3' };
    }
    if (index < 46) return { ...facts, kind: 'dead', stage: 'filter', cwes: [], reason: 'invalid UTF-8' };
    const answer = { title: 'Answer', text: `def task_${index}(): ...` };
    if (index < 66) {
      const texts = [task, { title: 'Reasoning', text: 'The name is not to be trusted.' }, answer];
      return { ...facts, kind: 'accepted', stage: 'distil', sample: 0, reason: null, texts };
    }
    return {
      ...facts,
      kind: 'rejected',
      stage: 'distil',
      sample: 1,
      reason: index === 69 ? 'codeDoesNotParse' : 'truncated',
      detail: 'line 3',
      texts: [answer],
    };
  });
  return { totals: { kept: 38, dropped: 1000, excluded: 1, dead: 1, accepted: 20, rejected: 4 }, rows };
}
