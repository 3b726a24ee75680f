import { describe, expect, test } from 'vitest';
import { extractCode } from './extract.ts';

const good = 'def f(x):\n    return x';
const other = 'def g(x):\n    return 0';
const fence = (code: string, info = 'python'): string => `\`\`\`${info}\n${code}\n\`\`\``;

describe('extractCode finds the code', () => {
  const cases: [name: string, reply: string, code: string, how: string][] = [
    ['in one block', `Sure:\n\n${fence(good)}\nDone.`, good, 'fence'],
    ['in a block without a language', fence(good, ''), good, 'fence'],
    ['in a block named py', fence(good, 'py'), good, 'fence'],
    ['in a block named Python3 with attributes', fence(good, 'Python3 title="a.py"'), good, 'fence'],
    [
      'in the last of two answers',
      `${fence('def f(x):\n    return 1')}\nBetter:\n${fence(good)}`,
      good,
      'fence',
    ],
    ['before an example call', `${fence(good)}\nUse it:\n${fence('print(f(1))')}`, good, 'fence'],
    [
      'before the shell command that runs it',
      `${fence(good)}\n${fence('python a.py', 'bash')}`,
      good,
      'fence',
    ],
    [
      'after a fence in the reasoning',
      `<think>\nMaybe\n${fence(other)}\n</think>\n${fence(good)}`,
      good,
      'fence',
    ],
    [
      'after a second piece of reasoning',
      `<think>\na\n</think>\n<think>\nb\n</think>\n${fence(good)}`,
      good,
      'fence',
    ],
    [
      'after reasoning that the template opened',
      `Maybe ${fence(other)}\n</think>\n${fence(good)}`,
      good,
      'fence',
    ],
    [
      'after reasoning that speaks of the tag',
      `<think>\nI end with </think> soon.\n</think>\n${fence(good)}`,
      good,
      'fence',
    ],
    ['that itself holds the opening tag', fence(`${good} + "<think>"`), `${good} + "<think>"`, 'fence'],
    ['in a block that never closes', `\`\`\`python\n${good}`, good, 'unclosedFence'],
    [
      'with Windows line ends',
      `\`\`\`python\r\n${good.replaceAll('\n', '\r\n')}\r\n\`\`\`\r\n`,
      good,
      'fence',
    ],
    ['between tildes', `~~~python\n${good}\n~~~`, good, 'fence'],
    [
      'with backticks inside a longer fence',
      `\`\`\`\`python\n${good}  # \`\`\`\n\`\`\`\n\`\`\`\`\n`,
      `${good}  # \`\`\`\n\`\`\``,
      'fence',
    ],
    ['with backticks between tildes', `~~~\n${good}\n\`\`\`\n~~~`, `${good}\n\`\`\``, 'fence'],
    ['without any fence', `${good}\n`, `${good}\n`, 'wholeText'],
    ['without a fence after reasoning', `<think>short</think>\n${good}`, `\n${good}`, 'wholeText'],
    ['that lacks the entry point, which the tests will tell', fence(other), other, 'fence'],
  ];
  test.each(cases)('%s', (_name, reply, code, how) => {
    expect(extractCode(reply, 'python', 'f')).toEqual({ code, how });
  });
});

describe('extractCode finds nothing', () => {
  const cases: [name: string, reply: string, reason: string][] = [
    ['when the reasoning never ends', `<think>\n${fence(good)}\nbut wait`, 'unclosedThink'],
    ['when later reasoning never ends', `${fence(good)}\n<think>\nhm`, 'unclosedThink'],
    ['in prose', 'I would return x.', 'noCodeBlock'],
    ['in prose that names the entry point', 'Write def f(x): and return x.', 'noCodeBlock'],
    ['in a block of another language', fence('function f(x) { return x }', 'js'), 'otherLanguage'],
    ['in an empty reply', ' \n', 'empty'],
    ['in an empty block', '```python\n\n```', 'empty'],
    ['after reasoning alone', `<think>\n${fence(good)}\n</think>\n`, 'empty'],
  ];
  test.each(cases)('%s', (_name, reply, reason) => {
    expect(extractCode(reply, 'python', 'f')).toEqual({ code: null, reason });
  });
});

describe('extractCode in other languages', () => {
  const cases: [name: string, language: string, reply: string, code: string][] = [
    [
      'a C function, not the call of it',
      'c',
      `${fence('int f(int a)\n{\n  return a;\n}', 'c')}\n${fence('int main(void) { return f(1); }', 'c')}`,
      'int f(int a)\n{\n  return a;\n}',
    ],
    [
      'a C function, not its declaration',
      'c',
      `${fence('char *f(const char *a) {\n  return 0;\n}', 'C')}\n${fence('char *f(const char *a);', 'h')}`,
      'char *f(const char *a) {\n  return 0;\n}',
    ],
    [
      'C++ in a block named cpp',
      'c++',
      fence('std::vector<int> f(int a) {\n}', 'cpp'),
      'std::vector<int> f(int a) {\n}',
    ],
    ['C++ in a block named c', 'c++', fence('int f() {}', 'c'), 'int f() {}'],
    [
      'Go in a block named golang',
      'go',
      `${fence('package main\n\nfunc f(a int) int { return a }', 'golang')}\n${fence('f(1)', 'go')}`,
      'package main\n\nfunc f(a int) int { return a }',
    ],
    [
      'JavaScript with an export',
      'javascript',
      `${fence('export default async function f(a) {}', 'js')}\n${fence('await f(1)', 'js')}`,
      'export default async function f(a) {}',
    ],
    ['an arrow function', 'javascript', fence('const f = (a) => a;', 'javascript'), 'const f = (a) => a;'],
    [
      'TypeScript in a block named js',
      'typescript',
      fence('function f(a) { return a }', 'js'),
      'function f(a) { return a }',
    ],
    [
      'whatever stands last where no function is asked for',
      'python',
      `${fence('a = 1')}\n${fence('b = 2')}`,
      'b = 2',
    ],
  ];
  test.each(cases)('%s', (name, language, reply, code) => {
    const entryPoint = name.startsWith('whatever') ? null : 'f';
    expect(extractCode(reply, language, entryPoint)).toEqual({ code, how: 'fence' });
  });

  test.each([
    ['javascript', fence('function f(a: string) {}', 'ts')],
    ['c', fence('int f() {}', 'cpp')],
    ['go', fence('int f() {}', 'c')],
  ])('%s is not found in a block of another language', (language, reply) => {
    expect(extractCode(reply, language, 'f')).toEqual({ code: null, reason: 'otherLanguage' });
  });
});
