/** The code of a model's reply. Pure. */
import { findCodeBlocks, type CodeBlock } from '../../distill/codeBlocks.ts';
import type { SuiteLanguage } from './suiteTask.ts';

export type ExtractedCode =
  | { readonly code: string; readonly how: 'fence' | 'unclosedFence' | 'wholeText' }
  | { readonly code: null; readonly reason: 'unclosedThink' | 'noCodeBlock' | 'otherLanguage' | 'empty' };

const fenceNames: Readonly<Record<SuiteLanguage, readonly string[]>> = {
  py: ['python', 'py', 'python3', ''],
};

/**
 * What stands in `<think>` is dropped first; reasoning that never ends leaves nothing. Then the last fenced block that
 * fits the language and defines the entry point counts (an example call after the answer is no answer), else the last
 * that fits; without any fence, the text itself if it defines the entry point.
 */
export function extractCode(reply: string, language: SuiteLanguage, entryPoint: string): ExtractedCode {
  const answer = withoutReasoning(reply.replaceAll('\r\n', '\n'));
  if (answer === null) return { code: null, reason: 'unclosedThink' };
  const blocks = findCodeBlocks(answer);
  const fitting = blocks.filter((block) => fenceNames[language].includes(block.language));
  const block = fitting.findLast(({ code }) => defines(code, entryPoint)) ?? fitting.at(-1);
  if (block !== undefined) return fromBlock(block);
  if (blocks.length > 0) return { code: null, reason: 'otherLanguage' };
  if (!defines(answer, entryPoint))
    return { code: null, reason: answer.trim() === '' ? 'empty' : 'noCodeBlock' };
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

function defines(code: string, entryPoint: string): boolean {
  return code
    .split('\n')
    .some((line) => line.startsWith(`def ${entryPoint}(`) || line.startsWith(`def ${entryPoint} (`));
}
