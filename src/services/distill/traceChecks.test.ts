import { describe, expect, it } from 'vitest';
import { checkTrace, findRepetition, type TeacherAnswer } from './traceChecks.ts';

const fence = '```';
const good: TeacherAnswer = {
  text: `${fence}python\ndef f(x):\n    return x\n${fence}`,
  reasoning: 'The name comes from outside, so a path could leave the folder (CWE-22). I resolve it first.',
  finishReason: 'stop',
};

describe('checkTrace', () => {
  it('takes a sound trace', () => expect(checkTrace(good)).toMatchObject({ ok: true }));

  it.each<[string, Partial<TeacherAnswer>, string]>([
    ['cut off', { finishReason: 'length' }, 'truncated'],
    ['another end', { finishReason: 'other' }, 'truncated'],
    ['no reasoning', { reasoning: null }, 'noReasoning'],
    ['blank reasoning', { reasoning: ' \n' }, 'noReasoning'],
    ['stray tag in the text', { text: `</think>${good.text}` }, 'unbalancedThink'],
    ['stray tag in the reasoning', { reasoning: 'a <think> b' }, 'unbalancedThink'],
    ['no code', { text: 'I would resolve the path.' }, 'noCodeBlock'],
    ['empty code', { text: `${fence}python\n\n${fence}` }, 'noCodeBlock'],
    ['open fence', { text: `${fence}python\nx = 1` }, 'truncated'],
    [
      'a loop',
      { reasoning: 'the quick brown fox jumps over the lazy dog and then it rests '.repeat(6) },
      'repetition',
    ],
    ['a leak', { reasoning: 'As instructed, I list the CWEs that matter.' }, 'leaksInstructions'],
  ])('rejects: %s', (_, change, reason) =>
    expect(checkTrace({ ...good, ...change })).toMatchObject({ ok: false, reason }),
  );

  it('calls a list with a common shape no repetition', () => {
    expect(
      findRepetition(
        Array.from({ length: 30 }, (_, i) => `case ${i} returns the value number ${i * 7}`).join('\n'),
      ),
    ).toBeNull();
  });
});
