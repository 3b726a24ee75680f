/** Fenced code blocks of a Markdown text, as CommonMark defines them (backticks or tildes, up to 3 blanks of indent). Pure. */

export interface CodeBlock {
  /** The first word after the fence, lower case; "" when there is none. */
  readonly language: string;
  readonly code: string;
  readonly closed: boolean;
}

export function findCodeBlocks(text: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; language: string; lines: string[] } | null = null;
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    const fence = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/.exec(line);
    if (open === null) {
      if (fence?.[1] !== undefined)
        open = { fence: fence[1], language: firstWord(fence[2] ?? ''), lines: [] };
    } else if (fence?.[1]?.startsWith(open.fence) === true && (fence[2] ?? '').trim() === '') {
      blocks.push({ language: open.language, code: open.lines.join('\n'), closed: true });
      open = null;
    } else {
      open.lines.push(line);
    }
  }
  if (open !== null) blocks.push({ language: open.language, code: open.lines.join('\n'), closed: false });
  return blocks;
}

function firstWord(info: string): string {
  return (info.trim().split(/[\s{,]/, 1)[0] ?? '').toLowerCase();
}
