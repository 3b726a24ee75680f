/** One name for each programming language, however people, fences and file names spell it. Pure. */

const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  python: ['py', 'python3', 'python2', 'py3', 'cpython', 'ipython'],
  javascript: ['js', 'jsx', 'mjs', 'cjs', 'node', 'nodejs', 'node.js', 'ecmascript'],
  typescript: ['ts', 'tsx', 'mts', 'cts'],
  c: ['h', 'ansi c', 'c99', 'c11'],
  'c++': ['cpp', 'cxx', 'cc', 'hpp', 'cplusplus', 'c plus plus'],
  'c#': ['cs', 'csharp', 'c sharp', 'c-sharp'],
  'objective-c': ['objc', 'objectivec', 'mm', 'objective c'],
  go: ['golang'],
  rust: ['rs'],
  java: [],
  kotlin: ['kt', 'kts'],
  swift: [],
  ruby: ['rb'],
  php: [],
  perl: ['pl', 'pm'],
  scala: [],
  haskell: ['hs'],
  r: ['rlang'],
  julia: ['jl'],
  matlab: [],
  lua: [],
  dart: [],
  elixir: ['ex', 'exs'],
  erlang: ['erl'],
  clojure: ['clj'],
  fsharp: ['f#', 'fs'],
  'visual basic': ['vb', 'vba', 'vb.net', 'visual basic .net'],
  bash: ['sh', 'shell', 'shellscript', 'shell script', 'zsh', 'ksh'],
  powershell: ['ps1', 'pwsh'],
  batch: ['bat', 'cmd'],
  sql: ['mysql', 'postgresql', 'postgres', 'plsql', 'pl/sql', 'tsql', 't-sql', 'sqlite'],
  html: ['htm', 'html5', 'xhtml'],
  css: ['css3'],
  assembly: ['asm', 'assembler', 'nasm'],
  yaml: ['yml'],
  markdown: ['md'],
  dockerfile: ['docker'],
};

const canonical: ReadonlyMap<string, string> = new Map(
  Object.entries(SPELLINGS).flatMap(([name, spellings]) =>
    [name, ...spellings].map((spelling) => [spelling, name]),
  ),
);

/** "Py" → "python", "C plus plus" → "c++"; a name that is not known stays, in lower case. */
export function canonicalLanguage(name: string): string {
  const spelling = name.trim().toLowerCase().replaceAll(/\s+/gu, ' ');
  return canonical.get(spelling) ?? spelling;
}
