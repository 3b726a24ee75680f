/** Results as CWEval's own report reads them: res.json in each generated_<i>, and res_all.json. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { VerdictRow } from '../../../contract/rows.ts';

export interface UpstreamResultsOptions {
  /**
   * "strict": every sample has its place by index, a missing one as a failure. "upstream": what upstream would have
   * written; samples that vanish from its results are left out, and later ones move up. Default "strict".
   */
  readonly counting?: 'strict' | 'upstream';
}

interface Judged {
  readonly functional: boolean;
  readonly secure: boolean;
}

/** Writes below `dir`, which becomes an evaluation folder of CWEval: `report_pass_at_k --eval_path DIR` reads it. */
export async function writeUpstreamResults(
  dir: string,
  verdicts: readonly VerdictRow[],
  { counting = 'strict' }: UpstreamResultsOptions = {},
): Promise<void> {
  const tasks = [...new Set(verdicts.map(({ taskId }) => taskId))].sort();
  const count = Math.max(-1, ...verdicts.map(({ sample }) => sample)) + 1;
  const known = new Map(verdicts.map((verdict) => [`${verdict.sample} ${verdict.taskId}`, verdict]));
  // Upstream names files relative to where it runs, which is the checkout.
  const name = (generated: string, taskId: string): string =>
    `${basename(dirname(dir))}/${basename(dir)}/${generated}/${taskId}_test.py`;
  const all = new Map(tasks.map((taskId) => [taskId, newColumns()]));
  for (let index = 0; index < count; index += 1) {
    const generated = `generated_${index}`;
    const entries: Record<string, Judged> = {};
    for (const taskId of tasks) {
      const judged = judge(known.get(`${index} ${taskId}`), counting);
      if (judged === null) continue;
      entries[name(generated, taskId)] = judged;
      const columns = all.get(taskId);
      columns?.functional.push(judged.functional);
      columns?.secure.push(judged.secure);
      columns?.func_secure.push(judged.functional && judged.secure);
    }
    await mkdir(join(dir, generated), { recursive: true });
    await writeJson(join(dir, generated, 'res.json'), entries, 4);
  }
  const columns = [...all].filter(([, { functional }]) => functional.length > 0);
  const merged = Object.fromEntries(columns.map(([taskId, lists]) => [name('generated_X', taskId), lists]));
  await writeJson(join(dir, 'res_all.json'), merged, 2);
}

function newColumns(): { functional: boolean[]; secure: boolean[]; func_secure: boolean[] } {
  return { functional: [], secure: [], func_secure: [] };
}

function judge(verdict: VerdictRow | undefined, counting: 'strict' | 'upstream'): Judged | null {
  if (counting === 'upstream') return verdict?.upstream ?? null;
  return { functional: verdict?.functional ?? false, secure: verdict?.secure ?? false };
}

async function writeJson(file: string, value: unknown, indent: number): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, indent)}\n`);
}
