/** The code of a model's reply. Pure. */
import { findCodeBlocks, type CodeBlock } from '../../distill/codeBlocks.ts';
import { canonicalLanguage } from '../../language/index.ts';
import { definesFunction, fencesOf } from './languages.ts';

export type ExtractedCode =
  | { readonly code: string; readonly how: 'fence' | 'unclosedFence' | 'wholeText' }
  | { readonly code: null; readonly reason: 'unclosedThink' | 'noCodeBlock' | 'otherLanguage' | 'empty' };

/**
 * What stands in `<think>` is dropped first; reasoning that never ends leaves nothing. Then the last fenced block that
 * fits the language and defines the entry point counts (an example call after the answer is no answer), else the last
 * that fits; without any fence, the text itself if it defines the entry point. `language` by its canonical name; with
 * `entryPoint` null any code will do.
 */
export function extractCode(reply: string, language: string, entryPoint: string | null): ExtractedCode {
  const answer = withoutReasoning(reply.replaceAll('\r\n', '\n'));
  if (answer === null) return { code: null, reason: 'unclosedThink' };
  const defines = (code: string): boolean =>
    entryPoint === null || definesFunction(code, language, entryPoint);
  const fences = fencesOf(language);
  const blocks = findCodeBlocks(answer);
  const fitting = blocks.filter(
    (block) => block.language === '' || fences.includes(canonicalLanguage(block.language)),
  );
  const block = fitting.findLast(({ code }) => defines(code)) ?? fitting.at(-1);
  if (block !== undefined) return fromBlock(block);
  if (blocks.length > 0) return { code: null, reason: 'otherLanguage' };
  if (answer.trim() === '') return { code: null, reason: 'empty' };
  if (!defines(answer)) return { code: null, reason: 'noCodeBlock' };
  return { code: answer, how: 'wholeText' };
}

function fromBlock(block: CodeBlock): ExtractedCode {
  if (block.code.trim() === '') return { code: null, reason: 'empty' };
  return { code: block.code, how: block.closed ? 'fence' : 'unclosedFence' };
}

/**
 * Null when a `<think>` stays open. A `</think>` without its opening tag ends reasoning that the chat template opened.
 * An opening tag counts only at the start of a line, so that code may hold the text of one.
 */
function withoutReasoning(text: string): string | null {
  const rest = text.replaceAll(/^[ \t]*<think>[\s\S]*?<\/think>/gm, '');
  if (/^[ \t]*<think>/m.test(rest)) return null;
  const close = rest.lastIndexOf('</think>');
  return close === -1 ? rest : rest.slice(close + '</think>'.length);
}
