/** A file of the suite as a reply: what a model would have answered. Pure. */
import { goReference } from '../program/goSource.ts';
import type { SuiteLanguage } from './languages.ts';
import { splitTaskFile } from './taskFiles.ts';

/** The code of a task or unsafe file without its markers and its `main`. @throws SecpiError SUITE_INVALID. */
export function codeOfFile(file: string, text: string, language: SuiteLanguage): string {
  if (language === 'py') return text;
  const { preamble, prompt, solution } = splitTaskFile(file, text, language);
  const code = `${prompt}\n${solution}`;
  return language === 'go' ? goReference(code, preamble) : `${preamble}\n\n${code}\n`;
}

export function fenced(code: string, language: SuiteLanguage): string {
  return `\`\`\`\`${language}\n${code.trimEnd()}\n\`\`\`\`\n`;
}
