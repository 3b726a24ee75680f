/** What the tests of the docs read of Markdown: headings with their anchors, sections, links, console sessions. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { projectDir } from '../chain/stack.ts';

/** README.md and every page of docs/, but the decisions: they tell of their time. Paths are relative to the project. */
export async function docPages(): Promise<Map<string, string>> {
  const entries = await readdir(join(projectDir, 'docs'), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(projectDir, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('docs/decisions/'))
    .toSorted();
  return new Map(
    await Promise.all(
      ['README.md', ...paths].map(
        async (path) => [path, await readFile(join(projectDir, path), 'utf8')] as const,
      ),
    ),
  );
}

export interface Line {
  readonly number: number;
  readonly text: string;
}

export interface Fence {
  /** What stands after the opening fence, e.g. `console`. */
  readonly info: string;
  readonly line: number;
  readonly lines: readonly Line[];
}

interface Scanned {
  readonly fences: readonly Fence[];
  /** Outside of fences. */
  readonly prose: readonly Line[];
}

export function scan(markdown: string): Scanned {
  const fences: Fence[] = [];
  const prose: Line[] = [];
  let open: { info: string; line: number; lines: Line[] } | null = null;
  for (const [index, text] of markdown.split('\n').entries()) {
    const line = { number: index + 1, text };
    const fence = /^\s*```(.*)$/u.exec(text);
    if (fence === null) (open?.lines ?? prose).push(line);
    else if (open === null) open = { info: (fence[1] ?? '').trim(), line: line.number, lines: [] };
    else {
      fences.push(open);
      open = null;
    }
  }
  if (open !== null) throw new Error(`the fence that opens in line ${open.line} is never closed`);
  return { fences, prose };
}

/** The text under each heading, to the next one, by the heading's text. */
export function sectionsOf(markdown: string): Map<string, string> {
  const sections = new Map<string, string>();
  const inFence = new Set(
    scan(markdown).fences.flatMap(({ line, lines }) => [line, ...lines.map(({ number }) => number)]),
  );
  let title = '';
  for (const [index, text] of markdown.split('\n').entries()) {
    const heading = inFence.has(index + 1) ? null : /^#{1,6} (.+)$/u.exec(text);
    if (heading === null) sections.set(title, `${sections.get(title) ?? ''}${text}\n`);
    else title = (heading[1] ?? '').trim();
  }
  return sections;
}

/** As the usual renderers make them of headings: lower case, blanks to hyphens, other signs but `_` and `-` gone. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  for (const { text } of scan(markdown).prose) {
    const heading = /^#{1,6} (.+)$/u.exec(text)?.[1];
    if (heading === undefined) continue;
    const plain = heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(plain) ?? 0;
    seen.set(plain, times + 1);
    anchors.add(times === 0 ? plain : `${plain}-${times}`);
  }
  return anchors;
}

/** Targets of `[text](target)` and `![text](target)`, outside of fences and code. */
export function linksOf(markdown: string): { readonly target: string; readonly line: number }[] {
  return scan(markdown).prose.flatMap(({ text, number }) =>
    [...text.replaceAll(/`[^`]*`/gu, '``').matchAll(/\]\(([^()\s]+)\)/gu)].map((link) => ({
      target: link[1] ?? '',
      line: number,
    })),
  );
}
