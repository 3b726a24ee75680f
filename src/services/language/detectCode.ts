/** The language of code, by the model that Visual Studio Code uses (`@vscode/vscode-languagedetection`, guesslang). */
import type { ModelOperations } from '@vscode/vscode-languagedetection';
import { canonicalLanguage } from './names.ts';

/**
 * The first guess must lead the second by this much confidence. On 891 answers of a public dataset whose tasks name their
 * language, 80 % were answered so and 97 % of the answers were right; without the lead it was 93 % of all.
 */
const MIN_LEAD = 0.05;
/** Less code tells nothing; the model itself refuses below 20 characters. */
const MIN_CHARACTERS = 40;
/** The start is enough, and the model's time grows with the length. */
const MAX_CHARACTERS = 4000;

let loading: Promise<ModelOperations> | null = null;

/** Canonical name, or null where the model is unsure. Loads in 0.15 s, then 8 ms of CPU each; the process grows by 200 MB. */
export async function detectCodeLanguage(code: string): Promise<string | null> {
  if (code.trim().length < MIN_CHARACTERS) return null;
  loading ??= loadModel();
  const [first, second] = await (await loading).runModel(code);
  if (first === undefined || first.confidence - (second?.confidence ?? 0) < MIN_LEAD) return null;
  return canonicalLanguage(first.languageId);
}

async function loadModel(): Promise<ModelOperations> {
  const { default: languageDetection } = await import('@vscode/vscode-languagedetection');
  return new languageDetection.ModelOperations({ maxContentSize: MAX_CHARACTERS });
}
