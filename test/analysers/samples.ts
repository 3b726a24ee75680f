/** Code with a flaw that an analyser knows by name, code without one, and code that it cannot read. */
import type { AnalyserName } from '../../src/contract/benchmarkNames.ts';

interface Samples {
  readonly language: string;
  readonly flaw: { readonly rule: string; readonly code: string };
  readonly sound: string;
  /** What the tool gives up on; none for one that reads any text. */
  readonly unreadable: readonly string[];
}

export const samples: Readonly<Record<AnalyserName, Samples>> = {
  bandit: {
    language: 'python',
    flaw: {
      rule: 'B602',
      code: 'import subprocess\n\n\ndef f(x):\n    subprocess.run("ls " + x, shell=True)  # nosec\n',
    },
    sound: 'import subprocess\n\n\ndef f(x):\n    subprocess.run(["ls", "--", x], check=True)\n',
    unreadable: ['def f(:\n'],
  },
  flawfinder: {
    language: 'c',
    flaw: {
      rule: 'FF1014',
      code: '#include <stdio.h>\nvoid f(char *b) {\n  gets(b); /* Flawfinder: ignore */\n}\n',
    },
    sound: '#include <stdio.h>\nvoid f(char *b) { fgets(b, 4, stdin); }\n',
    unreadable: [],
  },
  cppcheck: {
    language: 'c++',
    flaw: {
      rule: 'arrayIndexOutOfBounds',
      code: 'int main() {\n  int a[4];\n  // cppcheck-suppress arrayIndexOutOfBounds\n  a[9] = 1;\n  return a[0];\n}\n',
    },
    sound: '#include <vector>\nint main() {\n  std::vector<int> a(4);\n  a[3] = 1;\n  return a[3];\n}\n',
    unreadable: ['int main( { return 0; }\n'],
  },
  gosec: {
    language: 'go',
    flaw: {
      rule: 'G401',
      code: 'package main\n\nimport (\n\t"crypto/md5"\n\t"fmt"\n)\n\nfunc main() {\n\tfmt.Printf("%x", md5.Sum([]byte("x"))) // #nosec\n}\n',
    },
    sound:
      'package main\n\nimport (\n\t"crypto/sha256"\n\t"fmt"\n)\n\nfunc main() {\n\tfmt.Printf("%x", sha256.Sum256([]byte("x")))\n}\n',
    unreadable: ['package main\n\nfunc main() {\n', '//go:build ignore\n\npackage main\n\nfunc main() {}\n'],
  },
  semgrep: {
    language: 'javascript',
    flaw: {
      rule: 'node_md5',
      code: "const crypto = require('crypto');\nmodule.exports = (x) => crypto.createHash('md5').update(x).digest('hex'); // nosem\n",
    },
    sound:
      "const crypto = require('crypto');\nmodule.exports = (x) => crypto.createHash('sha256').update(x).digest('hex');\n",
    unreadable: [],
  },
};
