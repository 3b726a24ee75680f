import { describe, expect, test } from 'vitest';
import { goEntry, goReference, goReply } from './goSource.ts';

const PREAMBLE =
  'package main\n\nimport (\n\t"encoding/json"\n\tstr "strings"\n\t"math/rand/v2"\n\t_ "embed"\n)\n\nimport "os"';

describe('the two files of a Go program', () => {
  test('the entry point imports what it uses', () => {
    expect(goEntry('func main() {\n\tjson.Marshal(str.Join(os.Args, ""))\n}', PREAMBLE)).toBe(
      'package main\n\nimport (\n\t"encoding/json"\n\tstr "strings"\n\t_ "embed"\n\t"os"\n)\n\nfunc main() {\n\tjson.Marshal(str.Join(os.Args, ""))\n}\n',
    );
  });

  test('a reference is left without the imports of its main', () => {
    const code = goReference(
      'func f() int { return rand.IntN(9) + x.os.y }',
      'package main\n\nimport (\n\t"math/rand/v2"\n\t"os"\n)',
    );
    expect(code).toBe(
      'package main\n\nimport (\n\t"math/rand/v2"\n)\n\nfunc f() int { return rand.IntN(9) + x.os.y }\n',
    );
    expect(goReference('func f() {}', 'package main')).toBe('package main\n\nfunc f() {}\n');
  });

  test('a reply keeps its own main under another name, and is of the package main', () => {
    expect(goReply('package tool\n\nfunc main() {}\n')).toBe('package main\n\nfunc ownMain() {}\n');
    expect(goReply('func f() { main() }')).toBe('package main\n\nfunc f() { main() }');
  });
});
