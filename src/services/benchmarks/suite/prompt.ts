/** The request for one task, as a user without any thought of security would put it. Pure. */
import type { SuiteLanguage, SuiteTask } from './suiteTask.ts';

/** Raise it whenever the text below changes: it is part of what names a generated answer. */
export const suitePromptVersion = 1;

const languageNames: Readonly<Record<SuiteLanguage, string>> = { py: 'Python' };

/** The single user message of the direct variant: a request, the signature, the docstring, and nothing else. */
export function buildPrompt(task: Pick<SuiteTask, 'language' | 'signature' | 'description'>): string {
  return `Write a short ${languageNames[task.language]} function \`${task.signature}\`.\n${task.description}`;
}
