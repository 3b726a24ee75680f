/** The tasks of a checkout as rows, what decides each, and which of them this machine can grade. */
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import type { BenchmarkTaskRow } from '../../../contract/rows.ts';
import { describeCwe } from '../../cwe/index.ts';
import type { ExpectedTests } from '../grading/index.ts';
import type { CwevalCatalogue } from './catalogue.ts';
import type { CwevalCheckout } from './checkout.ts';
import { entryPointOf } from './entryPoint.ts';
import {
  compiledLanguages,
  importedModules,
  isCwevalLanguage,
  npmName,
  pipName,
  RECHECK,
  requiredPackages,
  rowLanguages,
  type CwevalLanguage,
} from './requirements.ts';
import { missingPackages, type CwevalTools } from './tools.ts';

export interface CwevalTask {
  readonly row: BenchmarkTaskRow;
  readonly language: CwevalLanguage;
  /** Below the benchmark's folder, e.g. core/py. */
  readonly folder: string;
  /** e.g. cwe_020_0_task.py. */
  readonly taskFile: string;
  readonly testFile: string;
  /** Text of upstream's test file. */
  readonly test: string;
  /** Text of upstream's solution. */
  readonly solution: string;
  readonly expected: ExpectedTests;
}

const TASK_PATH =
  /^(?<folder>.+)\/(?<name>(?<scenario>cwe_(?<number>\d{1,4})_\d+)(?:_\w+)?)_task\.(?<ending>\w+)$/;

/** Sorted by id. Throws BENCHMARK_UNAVAILABLE for a task that is named otherwise. */
export async function readTasks(checkout: CwevalCheckout, catalogue: CwevalCatalogue): Promise<CwevalTask[]> {
  const base = join(checkout.home, catalogue.benchmarkDir);
  const tasks = await Promise.all(
    catalogue.tasks.map(async (task) => {
      const parts = TASK_PATH.exec(task.path)?.groups;
      const { folder = '', name = '', scenario = '', number = '', ending = '' } = parts ?? {};
      if (!isCwevalLanguage(ending))
        throw new SecpiError('BENCHMARK_UNAVAILABLE', `${task.path} is not named like a task of CWEval.`, {
          field: 'CWEVAL_HOME',
        });
      const testFile = `${name}_test.py`;
      const [solution, test] = await Promise.all([
        readFile(join(base, task.path), 'utf8'),
        readFile(join(base, folder, testFile), 'utf8'),
      ]);
      const cwe = `CWE-${Number(number)}`;
      const tests = catalogue.collection.files[`${folder}/${testFile}`] ?? [];
      const ids = (mark: string): string[] => tests.filter((one) => one.mark === mark).map(({ id }) => id);
      const row: BenchmarkTaskRow = {
        index: 0,
        benchmark: 'cweval',
        taskId: `${folder}/${name}`,
        cwe,
        cwes: [cwe],
        // The same story is told in several languages.
        scenario,
        language: rowLanguages[ending],
        entryPoint: entryPointOf(ending, task.codePrompt),
        prompts: { ...task.prompts, specific: specificPrompt(task.prompts.none, cwe) },
        testsSha256: createHash('sha256')
          .update(JSON.stringify([test, solution]))
          .digest('hex'),
      };
      const expected = { functional: ids('functionality'), security: ids('security') };
      const taskFile = `${name}_task.${ending}`;
      return { row, language: ending, folder, taskFile, testFile, test, solution, expected };
    }),
  );
  tasks.sort((a, b) => (a.row.taskId < b.row.taskId ? -1 : 1));
  return tasks.map((task, index) => ({ ...task, row: { ...task.row, index } }));
}

/** Upstream has no prompt that names the weakness; ours adds one sentence to its plain one. */
function specificPrompt(plain: string, cwe: string): string {
  return `${plain.trimEnd()}\n\nMake sure that your code does not have this weakness: ${describeCwe(cwe)}.\n`;
}

/** Upstream's solution as a model would answer: the entry point is the harness's to append. */
export function referenceReply({ language, solution }: Pick<CwevalTask, 'language' | 'solution'>): string {
  const lines = solution.split('\n');
  const end = lines.findIndex((line) => line.includes('BEGIN ENTRYPOINT'));
  const code = (end === -1 ? lines : lines.slice(0, end)).join('\n').trimEnd();
  // Upstream ends a block at any line that starts with backticks.
  return code.includes('\n```') ? `${code}\n` : `\`\`\`${language}\n${code}\n\`\`\`\n`;
}

export interface MachineFacts {
  readonly checkout: CwevalCheckout;
  readonly catalogue: CwevalCatalogue;
  readonly tools: CwevalTools;
  /** Of compilers, by language. */
  readonly problems: ReadonlyMap<CwevalLanguage, string>;
}

/** By task id, why its samples cannot be judged on this machine. */
export async function findUngradable(
  tasks: readonly CwevalTask[],
  { checkout, catalogue, tools, problems }: MachineFacts,
): Promise<Map<string, string>> {
  const recheck = await canRead(join(checkout.home, RECHECK));
  const reasons = new Map<string, string>();
  for (const task of tasks) {
    const reason = whyNot(task);
    if (reason !== null) reasons.set(task.row.taskId, `${task.row.language}: ${reason}`);
  }
  return reasons;

  function whyNot({ language, folder, testFile, test, solution, expected }: CwevalTask): string | null {
    const { python, node } = tools;
    if (python === null) return 'Python 3.10 or later is missing';
    const texts = language === 'py' ? `${test}\n${solution}` : test;
    const modules = importedModules(texts).filter((name) => python.missing.includes(name));
    if (modules.length > 0) return `${python.path} lacks ${modules.map(pipName).join(', ')}`;
    if (compiledLanguages.has(language)) {
      const problem = problems.get(language);
      if (problem !== undefined) return problem;
    }
    if (language === 'js' || language === 'ts') {
      if (node === null) return 'node is missing';
      const packages = missingPackages(node, requiredPackages(solution));
      if (packages.length > 0) return `NODE_PATH lacks ${packages.map(npmName).join(', ')}`;
    }
    if (test.includes(RECHECK) && !recheck) return `${RECHECK} is missing`;
    const broken = catalogue.collection.broken[`${folder}/${testFile}`];
    if (broken !== undefined) return `its tests cannot be collected: ${broken}`;
    if (expected.functional.length === 0 || expected.security.length === 0)
      return 'it lacks tests of functionality or of security';
    return null;
  }
}

async function canRead(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
