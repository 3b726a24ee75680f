/**
 * Does code parse? Nothing of it runs: Python through `ast.parse` in an isolated child, JavaScript and TypeScript
 * through swc. Other languages are not judged here.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { ParserConfig } from '@swc/core';
import { canonicalLanguage } from '../language/index.ts';

export type ParseOutcome =
  | { readonly kind: 'parses' }
  | { readonly kind: 'broken'; readonly detail: string }
  | { readonly kind: 'notJudged' };

/** Reads one JSON string a line, answers `null` or the error; a fresh process is cheap, so a crash is just an answer. */
const PYTHON_PARSER = `
import ast, json, sys
for line in sys.stdin:
    try:
        ast.parse(json.loads(line))
        print("null", flush=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
`;

export interface CodeParser {
  /** `language`: the word after a fence, or a row's own. */
  parses(language: string, code: string): Promise<ParseOutcome>;
  close(): Promise<void>;
}

export function createCodeParser(pythonPath: string): CodeParser {
  let python: PythonParser | null = null;
  return {
    async parses(word, code) {
      const language = canonicalLanguage(word);
      if (language === 'python') {
        python ??= startPython(pythonPath);
        const outcome = await python.parse(code);
        if (outcome !== 'died') return outcome;
        python = null; // the next code gets a fresh process
        return { kind: 'broken', detail: 'the parser gave up on this code' };
      }
      if (language === 'javascript') return await parseWithSwc(code, 'ecmascript');
      if (language === 'typescript') {
        const plain = await parseWithSwc(code, 'typescript');
        // A cast in angle brackets is JSX to the other dialect, so a file is one of the two.
        return plain.kind === 'parses' ? plain : await parseWithSwc(code, 'tsx');
      }
      return { kind: 'notJudged' };
    },
    async close() {
      await python?.close();
      python = null;
    },
  };
}

const SYNTAX: Readonly<Record<'ecmascript' | 'typescript' | 'tsx', ParserConfig>> = {
  ecmascript: { syntax: 'ecmascript', jsx: true },
  typescript: { syntax: 'typescript', tsx: false },
  tsx: { syntax: 'typescript', tsx: true },
};

async function parseWithSwc(code: string, syntax: keyof typeof SYNTAX): Promise<ParseOutcome> {
  try {
    const { parse } = await import('@swc/core');
    await parse(code, SYNTAX[syntax]);
    return { kind: 'parses' };
  } catch (error) {
    return { kind: 'broken', detail: firstLine(error instanceof Error ? error.message : String(error)) };
  }
}

interface PythonParser {
  parse(code: string): Promise<ParseOutcome | 'died'>;
  close(): Promise<void>;
}

function startPython(pythonPath: string): PythonParser {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    pythonPath,
    ['-I', '-c', PYTHON_PARSER],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {},
    },
  );
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = once(child, 'error').then(([cause]: unknown[]) => {
    throw new Error(`cannot start ${pythonPath} to parse Python`, { cause });
  });
  failed.catch(() => undefined); // reported by whoever races against it
  let turn: Promise<unknown> = Promise.resolve();
  const ask = async (code: string): Promise<ParseOutcome | 'died'> => {
    child.stdin.write(`${JSON.stringify(code)}\n`);
    const answer = await Promise.race([answers.next(), failed]);
    if (answer.done === true) return 'died';
    const problem = JSON.parse(answer.value) as string | null;
    return problem === null ? { kind: 'parses' } : { kind: 'broken', detail: firstLine(problem) };
  };
  return {
    parse: async (code) => {
      const mine = turn.then(async () => await ask(code));
      turn = mine.catch(() => undefined);
      return await mine;
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await Promise.race([once(child, 'exit'), failed.catch(() => undefined)]);
    },
  };
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 300) ?? '';
}
