/** What the six languages of CWEval need on a machine, and by which names it is installed. Pure. */

/** File endings of tasks, as CWEval names its folders. */
export const cwevalLanguages = ['py', 'js', 'c', 'cpp', 'go', 'ts'] as const;
export type CwevalLanguage = (typeof cwevalLanguages)[number];

/** As rows name languages. */
export const rowLanguages: Readonly<Record<CwevalLanguage, string>> = {
  py: 'python',
  js: 'javascript',
  c: 'c',
  cpp: 'c++',
  go: 'go',
  ts: 'typescript',
};

export const compiledLanguages: ReadonlySet<CwevalLanguage> = new Set(['c', 'cpp', 'go']);

export function isCwevalLanguage(name: string): name is CwevalLanguage {
  return (cwevalLanguages as readonly string[]).includes(name);
}

/** Debian's packages of the headers and libraries that every C and C++ task is built with. */
export const aptLibraries = [
  'libjwt-dev',
  'libarchive-dev',
  'libxml2-dev',
  'libsqlite3-dev',
  'libssl-dev',
  'zlib1g-dev',
];

/** pip's name of a module, where it is another one. */
const pipNames: Readonly<Record<string, string>> = {
  Crypto: 'pycryptodome',
  argon2: 'argon2-cffi',
  jwt: 'PyJWT',
  yaml: 'pyyaml',
};

export function pipName(module: string): string {
  return pipNames[module] ?? module;
}

/** Versions that the tests still pass with, where the newest breaks them. */
const npmVersions: Readonly<Record<string, string>> = { 'node-rsa': '1.1.1', argon2: '0.41.1' };

export function npmName(name: string): string {
  const version = npmVersions[name];
  return version === undefined ? name : `${name}@${version}`;
}

/** The checker of regular expressions that some tests start by this path from the checkout's folder. */
export const RECHECK = 'third_party/recheck-linux-x64';
export const RECHECK_PACKAGE = 'recheck-linux-x64';
export const GOIMPORTS = 'golang.org/x/tools/cmd/goimports@latest';

/** Modules that a Python file imports from elsewhere than the standard library: names at the start of its lines. */
export function importedModules(text: string): string[] {
  const names = [...text.matchAll(/^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)/gm)].map(
    (match) => match[1] ?? '',
  );
  return [...new Set(names)].sort();
}

/** Packages that a JavaScript file requires by name; built-in ones included. */
export function requiredPackages(text: string): string[] {
  const names = [...text.matchAll(/(?:require\(|from\s+)\s*['"]([^'"./][^'"]*)['"]/g)].map(
    (match) => match[1] ?? '',
  );
  const packages = names.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
  return [...new Set(packages)].sort();
}
