/** Programming languages: one name for each, and what a task or a piece of code is written in. */
export { canonicalLanguage } from './names.ts';
export { detectCodeLanguage } from './detectCode.ts';
export { detectTaskLanguage } from './detectTask.ts';
