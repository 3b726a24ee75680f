/** What the doctor says: each tool with its version and place, and what to install. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GOIMPORTS,
  npmName,
  pipName,
  RECHECK,
  RECHECK_PACKAGE,
  requiredPackages,
  type CwevalLanguage,
} from './requirements.ts';
import { librariesRemedy } from './prepare.ts';
import { setUpCweval, type CwevalOptions, type CwevalSetUp } from './setUp.ts';
import { missingPackages, type Program } from './tools.ts';

export interface CwevalDescription {
  readonly facts: readonly string[];
  readonly problems: readonly { readonly problem: string; readonly remedy: string }[];
  readonly tasks: number;
  readonly gradable: number;
}

/** @throws SecpiError BENCHMARK_UNAVAILABLE where there is no checkout; SANDBOX_UNAVAILABLE. */
export async function describeCweval(options: Omit<CwevalOptions, 'settings'>): Promise<CwevalDescription> {
  const setUp = await setUpCweval(options);
  const { tasks, ungradable } = setUp;
  const problems = [
    ...pythonProblems(setUp),
    ...nodeProblems(setUp),
    ...compilerProblems(setUp),
    ...(await recheckProblems(setUp)),
  ];
  const told = new Set(problems.map(({ problem }) => problem));
  const rest = new Set(
    [...ungradable.values()].filter((reason) => /cannot be collected|it lacks tests/.test(reason)),
  );
  for (const problem of rest)
    if (!told.has(problem)) problems.push({ problem, remedy: 'Compare the checkout with upstream.' });
  return { facts: facts(setUp), problems, tasks: tasks.length, gradable: tasks.length - ungradable.size };
}

function facts({ checkout, tools, tasks, ungradable }: CwevalSetUp): string[] {
  const { python, node, go, goimports, gcc, gpp } = tools;
  const tell = (name: string, tool: Program | null): string =>
    `${name.padEnd(10)} ${tool === null ? 'missing' : `${tool.version} (${tool.path})`}`;
  const languages = [...new Set(tasks.map(({ row }) => row.language))].sort();
  return [
    `checkout   ${checkout.home}, ${checkout.version}`,
    tell('python', python),
    ...(python === null ? [] : [`           ${python.packages.join(', ')}`]),
    tell('node', node),
    ...(node === null ? [] : [`           NODE_PATH ${node.nodePath.join(':') || '(empty)'}`]),
    tell('gcc', gcc),
    tell('g++', gpp),
    tell('go', go),
    tell('goimports', goimports),
    ...languages.map((language) => {
      const all = tasks.filter(({ row }) => row.language === language);
      const good = all.filter(({ row }) => !ungradable.has(row.taskId));
      return `${language.padEnd(10)} ${good.length} of ${all.length} tasks`;
    }),
  ];
}

type Problems = { problem: string; remedy: string }[];

function pythonProblems({ tools: { python } }: CwevalSetUp): Problems {
  if (python === null)
    return [
      { problem: 'Python 3.10 or later is missing.', remedy: 'Install it, or name one in CWEVAL_PYTHON.' },
    ];
  if (python.missing.length === 0) return [];
  const names = python.missing.map(pipName).join(' ');
  return [{ problem: `${python.path} lacks ${names}.`, remedy: `${python.path} -m pip install ${names}` }];
}

function nodeProblems({ tools: { node }, tasks }: CwevalSetUp): Problems {
  const scripts = tasks.filter(({ language }) => language === 'js');
  if (scripts.length === 0) return [];
  if (node === null) return [{ problem: 'node is missing.', remedy: 'Install Node.js and put it on PATH.' }];
  const needed = new Set(scripts.flatMap(({ solution }) => requiredPackages(solution)));
  const missing = missingPackages(node, [...needed].sort());
  if (missing.length === 0) return [];
  const names = missing.map(npmName).join(' ');
  return [{ problem: `NODE_PATH lacks ${missing.join(', ')}.`, remedy: `npm install -g ${names}` }];
}

function compilerProblems({ preparation: { problems }, tools: { go, goimports } }: CwevalSetUp): Problems {
  const remedies: Readonly<Partial<Record<CwevalLanguage, string>>> = {
    c: librariesRemedy,
    cpp: librariesRemedy,
    go:
      go === null
        ? 'Install Go as go.mod names it, and put it on PATH.'
        : goimports === null
          ? `go install ${GOIMPORTS}`
          : 'In the checkout: go mod download',
  };
  return [...problems].map(([language, problem]) => ({
    problem: `${problem}.`,
    remedy: remedies[language] ?? '',
  }));
}

async function recheckProblems({ checkout, tasks }: CwevalSetUp): Promise<Problems> {
  if (!tasks.some(({ test }) => test.includes(RECHECK))) return [];
  try {
    await access(join(checkout.home, RECHECK));
    return [];
  } catch {
    const remedy = `npm install ${RECHECK_PACKAGE}, and copy its program "recheck" to ${RECHECK} of the checkout`;
    return [{ problem: `${RECHECK} is missing.`, remedy }];
  }
}
