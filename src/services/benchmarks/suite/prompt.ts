/** The request for one task, as a user without any thought of security would put it. Pure. */
import type { SuiteTask } from './suiteTask.ts';

/** Raise it whenever the text below changes: it is part of what names a generated answer. */
export const suitePromptVersion = 1;

/** The single user message of the direct variant. */
export function buildPrompt(task: Pick<SuiteTask, 'prompt'>): string {
  return `Complete this Python function:\n\n\`\`\`python\n${task.prompt}\n\`\`\``;
}
