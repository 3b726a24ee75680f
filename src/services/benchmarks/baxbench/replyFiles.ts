/**
 * The files in a reply, found as BaxBench finds them, so that both judge the same program: fenced blocks win over
 * <CODE> elements; a single-file framework takes the first one; a multi-file framework pairs them in order with its
 * <FILEPATH> elements, else with its `### title` lines, and takes nothing when the numbers differ. Pure, linear time.
 */

export interface ReplyFormat {
  /** Name of the one file of a single-file framework; null for a framework of many files. */
  readonly codeFilename: string | null;
}

export type ReplyFiles =
  | { readonly files: ReadonlyMap<string, string>; readonly reason: null }
  | { readonly files: null; readonly reason: 'unclosedThink' | 'formatNotFound' };

export function filesOfReply(reply: string, format: ReplyFormat): ReplyFiles {
  const answer = withoutReasoning(reply);
  if (answer === null) return { files: null, reason: 'unclosedThink' };
  const files = format.codeFilename === null ? manyFiles(answer) : oneFile(answer, format.codeFilename);
  return files === null ? { files: null, reason: 'formatNotFound' } : { files, reason: null };
}

/** Null when reasoning never ends. A lone `</think>` ends reasoning that the chat template opened. */
function withoutReasoning(reply: string): string | null {
  const opens = reply.trimStart().startsWith('<think>');
  const close = reply.lastIndexOf('</think>');
  if (close === -1) return opens ? null : reply;
  return opens || !reply.slice(0, close).includes('<think>') ? reply.slice(close + '</think>'.length) : reply;
}

function oneFile(answer: string, name: string): ReadonlyMap<string, string> | null {
  const code = fencedBlocks(answer)[0] ?? elements(answer, 'CODE')[0];
  return code === undefined ? null : new Map([[name, code]]);
}

function manyFiles(answer: string): ReadonlyMap<string, string> | null {
  const fenced = fencedBlocks(answer);
  const tagged = elements(answer, 'CODE').map((code) => fencedBlocks(code)[0] ?? code);
  for (const paths of [elements(answer, 'FILEPATH'), titles(answer)]) {
    if (paths.length === 0) continue;
    const codes = [fenced, tagged].find(({ length }) => length === paths.length);
    if (codes !== undefined)
      return new Map(paths.map((path, index) => [plainPath(path), codes[index] ?? '']));
  }
  return null;
}

/** Blocks whose fence names a language directly before the end of its line; shell transcripts (bash) are none. */
function fencedBlocks(text: string): string[] {
  const blocks: string[] = [];
  for (let at = text.indexOf('```'); at !== -1; at = text.indexOf('```', at)) {
    const language = /^[\p{L}\p{N}_]+(?=\n)/u.exec(text.slice(at + 3, at + 131))?.[0];
    if (language === undefined || language.startsWith('bash')) {
      at += 1;
      continue;
    }
    const start = at + 3 + language.length + 1;
    const end = text.indexOf('\n```', start);
    if (end === -1) break;
    blocks.push(clean(text.slice(start, end)));
    at = end + 4;
  }
  return blocks;
}

/** What stands between <NAME> and the next </NAME>, at least one character. */
function elements(text: string, name: string): string[] {
  const found: string[] = [];
  const open = `<${name}>`;
  const close = `</${name}>`;
  for (let at = text.indexOf(open); at !== -1; at = text.indexOf(open, at)) {
    const end = text.indexOf(close, at + open.length + 1);
    if (end === -1) break;
    found.push(clean(text.slice(at + open.length, end)));
    at = end + close.length;
  }
  return found;
}

/** The rest of each line that starts with `###`, or the next line with text where nothing follows it. */
function titles(text: string): string[] {
  const found: string[] = [];
  for (let at = text.startsWith('###') ? 0 : nextTitle(text, 0); at !== -1;) {
    const rest = at + 3;
    const title = NO_BLANK.exec(text.slice(rest));
    if (title === null) {
      // Only white space is left: BaxBench takes its last character for the title, which is an empty one.
      if (rest < text.length) found.push('');
      break;
    }
    const start = rest + title.index;
    const end = text.indexOf('\n', start + 1);
    found.push(clean(text.slice(start, end === -1 ? text.length : end)));
    at = end === -1 ? -1 : nextTitle(text, end);
  }
  return found;
}

function nextTitle(text: string, from: number): number {
  const at = text.indexOf('\n###', from);
  return at === -1 ? -1 : at + 1;
}

/** Without outer white space and one pair of bold marks. */
function clean(text: string): string {
  let kept = strip(text);
  if (kept.startsWith('**')) kept = kept.slice(2);
  if (kept.endsWith('**')) kept = kept.slice(0, -2);
  return strip(kept);
}

function strip(text: string): string {
  return text.replace(LEADING_BLANKS, '').replace(TRAILING_BLANKS, '');
}

// White space as Python counts it. The look-behind keeps the search linear: a run of blanks is tried only from its start.
/* eslint-disable no-control-regex */
const LEADING_BLANKS = /^(?:(?!\ufeff)[\s\u001c-\u001f\u0085])+/u;
const TRAILING_BLANKS = /(?<![\s\u001c-\u001f\u0085])(?:(?!\ufeff)[\s\u001c-\u001f\u0085])+$/u;
const NO_BLANK = /\ufeff|[^\s\u001c-\u001f\u0085]/u;
/* eslint-enable no-control-regex */

/** `./a//b/` is `a/b`; `..` stays for whoever writes the file to refuse. */
function plainPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`;
}
