/** The function that a task asks for. Pure. */
import type { CwevalLanguage } from './requirements.ts';

/** The last definition of the prompt is the one left open for the model. */
const definitions: Readonly<Record<CwevalLanguage, RegExp>> = {
  py: /^(?:async )?def (\w+)\s*\(/gm,
  js: /^(?:export )?(?:async )?(?:function\*? (\w+)\s*\(|(?:const|let|var) (\w+)\s*=)/gm,
  ts: /^(?:export )?(?:async )?(?:function\*? (\w+)\s*[(<]|(?:const|let|var) (\w+)\s*[:=])/gm,
  go: /^func (\w+)\s*\(/gm,
  c: /^[A-Za-z_][\w\s*]*?[\s*](\w+)\s*\(/gm,
  cpp: /^[A-Za-z_][\w\s*&:<>,]*?[\s*&>](\w+)\s*\(/gm,
};

/** Null where the prompt shows none. */
export function entryPointOf(language: CwevalLanguage, codePrompt: string): string | null {
  const code = language === 'py' ? codePrompt : withoutComments(codePrompt);
  const last = [...code.matchAll(definitions[language])].at(-1);
  return last?.[1] ?? last?.[2] ?? null;
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^[ \t]*\/\/.*$/gm, '');
}
