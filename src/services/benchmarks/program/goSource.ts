/** The two files of a Go program: the reply as it stands, and the suite's own `main` with the imports that it uses. Pure. */

interface GoImport {
  /** As written: `"net/url"`, or `str "strings"`. */
  readonly spec: string;
  /** The name that code uses. */
  readonly name: string;
}

/** Go has one `main`; the reply's own is kept under another name, so that its imports stay in use, and is never called. */
export function goReply(code: string): string {
  const renamed = code.replace(/^func\s+main\s*\(\s*\)/m, 'func ownMain()');
  return /^package\s+\w+/m.test(renamed)
    ? renamed.replace(/^package\s+\w+/m, 'package main')
    : `package main\n\n${renamed}`;
}

/** `program`: what stands behind the entry point's marker; `preamble`: package and imports of the task's file. */
export function goEntry(program: string, preamble: string): string {
  return withImports(usedImports(program, preamble), program);
}

/** The task's own solution as a reply: without the imports that only its `main` uses. */
export function goReference(solution: string, preamble: string): string {
  return withImports(usedImports(solution, preamble), solution);
}

function withImports(imports: readonly GoImport[], code: string): string {
  const lines = imports.map(({ spec }) => `\t${spec}\n`).join('');
  return `package main\n\n${lines === '' ? '' : `import (\n${lines})\n\n`}${code}\n`;
}

function usedImports(code: string, preamble: string): GoImport[] {
  return importsOf(preamble).filter(
    ({ name }) => name === '_' || new RegExp(String.raw`(?<![\w.])${name}\.`).test(code),
  );
}

function importsOf(preamble: string): GoImport[] {
  const specs = [...preamble.matchAll(/^[ \t]*(?:import[ \t]+)?((?:[\w.]+[ \t]+)?"[^"\n]+")[ \t]*$/gm)];
  return specs.map(([, spec = '']) => {
    const [, alias, path = ''] = /^(?:([\w.]+)[ \t]+)?"([^"]+)"$/.exec(spec) ?? [];
    // The last folder that is no major version.
    const folder = path.split('/').findLast((part) => !/^v\d+$/.test(part)) ?? path;
    return { spec, name: alias ?? folder };
  });
}
