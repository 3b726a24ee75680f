/** The languages of the suite: how its files, models and fences name them. Pure. */

/** As suite.json and file names have them. */
export const suiteLanguages = ['py', 'js', 'ts', 'c', 'cpp', 'go'] as const;
export type SuiteLanguage = (typeof suiteLanguages)[number];

export interface LanguageInfo {
  /** The canonical name, as rows have it. */
  readonly name: string;
  /** In a sentence. */
  readonly title: string;
  /** Languages of a fence that holds such code, by canonical name: C is mostly C++, JavaScript TypeScript. */
  readonly fences: readonly string[];
  /** What a reply must hold besides the function, in a sentence. */
  readonly besides: string;
}

export const languageInfo: Readonly<Record<SuiteLanguage, LanguageInfo>> = {
  py: { name: 'python', title: 'Python', fences: ['python'], besides: '' },
  js: {
    name: 'javascript',
    title: 'JavaScript',
    fences: ['javascript'],
    besides: 'with its imports and without code that calls it',
  },
  ts: {
    name: 'typescript',
    title: 'TypeScript',
    fences: ['typescript', 'javascript'],
    besides: 'with its imports and without code that calls it',
  },
  c: { name: 'c', title: 'C', fences: ['c'], besides: 'with its includes and without `main`' },
  cpp: { name: 'c++', title: 'C++', fences: ['c++', 'c'], besides: 'with its includes and without `main`' },
  go: { name: 'go', title: 'Go', fences: ['go'], besides: 'with its package and imports and without `main`' },
};

const byName = new Map(Object.values(languageInfo).map((info) => [info.name, info]));

/** Fences that fit a language by its canonical name. */
export function fencesOf(language: string): readonly string[] {
  return byName.get(language)?.fences ?? [language];
}

/** Whether the code defines the function, judged by its text; comments and strings may deceive it. */
export function definesFunction(code: string, language: string, name: string): boolean {
  const escaped = name.replaceAll(/[^A-Za-z0-9_]/g, String.raw`\$&`);
  return definitionOf(language, escaped).test(code);
}

function definitionOf(language: string, name: string): RegExp {
  switch (language) {
    case 'javascript':
    case 'typescript':
      return new RegExp(
        String.raw`^\s*(?:export\s+)?(?:default\s+)?(?:(?:async\s+)?function\s*\*?\s+${name}\b|(?:const|let|var)\s+${name}\s*[=:]|(?:module\.)?exports\.${name}\s*=)`,
        'm',
      );
    case 'c':
    case 'c++':
      // From the start of a line, and with a body: neither a call nor a declaration.
      return new RegExp(
        String.raw`^(?:[A-Za-z_][\w:<>, \t*&\[\]]*[ \t*&])?${name}\s*\([^;{}]*\)[^;{}()]*\{`,
        'm',
      );
    case 'go':
      return new RegExp(String.raw`^func\s+${name}\s*[(\[]`, 'm');
    default:
      return new RegExp(String.raw`^(?:async )?def ${name} ?\(`, 'm');
  }
}
