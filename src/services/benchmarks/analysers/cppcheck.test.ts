import { describe, expect, it } from 'vitest';
import { readCppcheckReport, withoutForeignIncludes } from './cppcheck.ts';

const positions = new Map([
  ['0.c', 0],
  ['4.cpp', 4],
]);
const report = (...errors: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<results version="2">\n<cppcheck version="2.22.0"/>\n<errors>\n${errors.join('\n')}\n</errors>\n</results>\n`;
const error = (rule: string, severity: string, file: string, line: number, file0 = '') =>
  `<error id="${rule}" severity="${severity}" msg="a &lt;b&gt; &quot;c&quot;"${file0 && ` file0="${file0}"`}>\n  <location file="${file}" line="${line}" column="3"/>\n</error>`;

describe('readCppcheckReport', () => {
  it('tells errors and warnings of each file by line', () => {
    const { findings, unread } = readCppcheckReport(
      report(
        error('doubleFree', 'error', '/tmp/x/0.c', 12, '/tmp/x/0.c'),
        error('bufferAccessOutOfBounds', 'error', '/tmp/x/0.c', 8, '/tmp/x/0.c'),
        error('uninitvar', 'warning', '/tmp/x/4.cpp', 3, '/tmp/x/4.cpp'),
        error('unusedFunction', 'style', '/tmp/x/4.cpp', 1, '/tmp/x/4.cpp'),
      ),
      positions,
    );
    expect([...findings].map(([position, all]) => [position, all.map(({ detail }) => detail)])).toEqual([
      [4, ['uninitvar line 3']],
      [0, ['bufferAccessOutOfBounds line 8', 'doubleFree line 12']],
    ]);
    expect(unread.size).toBe(0);
  });

  it('gives a place in a header to the file that was asked about', () => {
    const { findings } = readCppcheckReport(
      report(error('nullPointer', 'error', '/usr/include/x.h', 7, '/tmp/x/0.c')),
      positions,
    );
    expect(findings.get(0)?.[0]?.rule).toBe('nullPointer');
  });

  it('takes the place where an older version names no file besides', () => {
    const { findings } = readCppcheckReport(
      report(error('nullPointer', 'error', '/tmp/x/4.cpp', 7)),
      positions,
    );
    expect(findings.get(4)?.length).toBe(1);
  });

  it.each(['syntaxError', 'unknownMacro', 'preprocessorErrorDirective'])(
    'cannot read a file with %s',
    (rule) => {
      const { findings, unread } = readCppcheckReport(
        report(error(rule, 'error', '/tmp/x/0.c', 1, '/tmp/x/0.c')),
        positions,
      );
      expect(findings.size).toBe(0);
      expect(unread).toEqual(new Map([[0, `cppcheck cannot read it: ${rule}`]]));
    },
  );

  it('skips what belongs to no file', () => {
    const { findings, unread } = readCppcheckReport(
      report('<error id="checkersReport" severity="information" msg="Active checkers: 166"/>'),
      positions,
    );
    expect(findings.size + unread.size).toBe(0);
  });

  it.each([
    ['', /cut off/],
    [report().replace('</results>', ''), /cut off/],
    [report(error('x', 'error', '/tmp/x/9.c', 1)), /9\.c, which is not among/],
  ])('throws on %s', (text, message) => expect(() => readCppcheckReport(text, positions)).toThrow(message));
});

describe('withoutForeignIncludes', () => {
  it.each([
    ['#include "/dev/zero"', '#include "left-out.h"'],
    ['\t#  include  </etc/passwd> // x', '\t#  include  "left-out.h" // x'],
    ['int a;\n#include "../../secret.h"\nint b;', 'int a;\n#include "left-out.h"\nint b;'],
    ['#include <stdio.h>', '#include <stdio.h>'],
    ['#include "helper/list.h"', '#include "helper/list.h"'],
    ['puts("#include \\"/x\\"");', 'puts("#include \\"/x\\"");'],
  ])('%j', (code, expected) => expect(withoutForeignIncludes(code)).toBe(expected));
});
