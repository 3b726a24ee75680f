/** Finds a model's reasoning, which servers put in one of three places. Pure. */

export interface RawMessage {
  readonly content: string;
  /** vLLM and most newer servers. */
  readonly reasoning?: string | null | undefined;
  /** DeepSeek and older vLLM. */
  readonly reasoningContent?: string | null | undefined;
}

export interface SplitMessage {
  readonly text: string;
  readonly reasoning: string | null;
  /** Tags that do not pair up are reported, not repaired: whoever keeps the answer decides. */
  readonly unbalancedThink: boolean;
}

const THINK_TAG = /<(\/?)think>/g;

/**
 * A field wins over tags in the text. Without a field, a leading `<think>…</think>` is taken off.
 * Blank reasoning is none. Tags elsewhere in the text (a program that prints them) stay where they are.
 */
export function splitReasoning(message: RawMessage): SplitMessage {
  const field =
    [message.reasoning, message.reasoningContent].find((value) => (value ?? '').trim() !== '') ?? null;
  const leadingEnd = endOfLeadingBlock(message.content);
  if (leadingEnd === 'unbalanced') return { text: message.content, reasoning: field, unbalancedThink: true };
  if (field !== null || leadingEnd === null)
    return { text: message.content, reasoning: field, unbalancedThink: false };
  const reasoning = message.content
    .slice(message.content.indexOf('<think>') + '<think>'.length, leadingEnd.inner)
    .trim();
  return {
    text: message.content.slice(leadingEnd.outer).trimStart(),
    reasoning: reasoning === '' ? null : reasoning,
    unbalancedThink: false,
  };
}

/** Where the block that starts the text ends, null when the text starts with none. */
function endOfLeadingBlock(content: string): { inner: number; outer: number } | 'unbalanced' | null {
  const leads = content.trimStart().startsWith('<think>');
  let depth = 0;
  let end: { inner: number; outer: number } | null = null;
  for (const tag of content.matchAll(THINK_TAG)) {
    depth += tag[1] === '/' ? -1 : 1;
    if (depth < 0) return 'unbalanced';
    if (depth === 0 && end === null) end = { inner: tag.index, outer: tag.index + tag[0].length };
  }
  if (depth !== 0) return 'unbalanced';
  return leads ? end : null;
}
