import { describe, expect, test } from 'vitest';
import { splitReasoning, type RawMessage, type SplitMessage } from './reasoning.ts';

const cases: [string, RawMessage, SplitMessage][] = [
  ['plain text', { content: 'code' }, { text: 'code', reasoning: null, unbalancedThink: false }],
  [
    'message.reasoning',
    { content: 'code', reasoning: 'why' },
    { text: 'code', reasoning: 'why', unbalancedThink: false },
  ],
  [
    'message.reasoning_content',
    { content: 'code', reasoningContent: 'why' },
    { text: 'code', reasoning: 'why', unbalancedThink: false },
  ],
  [
    'an empty field is none',
    { content: '<think>why</think>code', reasoning: '', reasoningContent: null },
    { text: 'code', reasoning: 'why', unbalancedThink: false },
  ],
  [
    'a leading block',
    { content: '\n<think>\nwhy\n</think>\n\ncode' },
    { text: 'code', reasoning: 'why', unbalancedThink: false },
  ],
  [
    'an empty block',
    { content: '<think>\n\n</think>code' },
    { text: 'code', reasoning: null, unbalancedThink: false },
  ],
  [
    'a nested block ends with its own tag',
    { content: '<think>a <think>b</think> c</think>code' },
    { text: 'code', reasoning: 'a <think>b</think> c', unbalancedThink: false },
  ],
  [
    'a later pair is part of the answer',
    { content: '<think>why</think>print("<think></think>")' },
    { text: 'print("<think></think>")', reasoning: 'why', unbalancedThink: false },
  ],
  [
    'a pair that does not lead is part of the answer',
    { content: 'code <think>x</think>' },
    { text: 'code <think>x</think>', reasoning: null, unbalancedThink: false },
  ],
  [
    'a field wins, tags in the text stay',
    { content: '<think>b</think>code', reasoning: 'a' },
    { text: '<think>b</think>code', reasoning: 'a', unbalancedThink: false },
  ],
  ['never closed', { content: '<think>why' }, { text: '<think>why', reasoning: null, unbalancedThink: true }],
  [
    'never opened',
    { content: 'why</think>code' },
    { text: 'why</think>code', reasoning: null, unbalancedThink: true },
  ],
  [
    'closed twice',
    { content: '<think>why</think></think>code' },
    { text: '<think>why</think></think>code', reasoning: null, unbalancedThink: true },
  ],
  [
    'unbalanced text beside a field',
    { content: '</think>code', reasoning: 'a' },
    { text: '</think>code', reasoning: 'a', unbalancedThink: true },
  ],
];

describe('splitReasoning', () => {
  test.each(cases)('%s', (_, message, split) => {
    expect(splitReasoning(message)).toEqual(split);
  });
});
