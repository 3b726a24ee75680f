import { describe, expect, it } from 'vitest';
import { distillSchema } from '../../contract/recipe.ts';
import { sha256Hex } from '../store/index.ts';
import { promptVersionOf, teacherMessages } from './prompt.ts';

describe('teacherMessages', () => {
  it('keeps the text that answers were paid for under distil-1', () => {
    expect(promptVersionOf('structured')).toBe('distil-1');
    const messages = teacherMessages('Write f(x).', ['CWE-22', 'CWE-78'], 'structured');
    expect(sha256Hex(JSON.stringify(messages))).toBe(STRUCTURED_SHA256);
    expect(messages[1]?.content).toBe(
      '<task>\nWrite f(x).\n</task>\n\nWeaknesses to consider first: CWE-22, CWE-78.',
    );
    expect(teacherMessages('Write f(x).', [], 'structured')[1]?.content).toContain('choose them yourself');
  });

  it('names no weakness in the generic reminder', () => {
    const text = JSON.stringify(teacherMessages('Write f(x).', ['CWE-22'], 'generic'));
    expect(text).toContain('secure');
    expect(text).not.toMatch(/CWE|weakness|attack/i);
  });

  it('is the bare task without a prompt', () => {
    expect(teacherMessages('Write f(x).', ['CWE-22'], 'none')).toEqual([
      { role: 'user', content: 'Write f(x).' },
    ]);
  });

  it('has a version of its own for every prompt', () => {
    const prompts = distillSchema.shape.prompt.unwrap().options;
    expect(new Set(prompts.map(promptVersionOf)).size).toBe(prompts.length);
  });
});

const STRUCTURED_SHA256 = 'db0f06a01d8e21ab4a8cb5f241c79438ab44e2980690ca4e1ea48b61e3cf381c';
