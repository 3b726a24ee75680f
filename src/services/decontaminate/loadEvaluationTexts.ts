/** The evaluation sets that a recipe names, loaded and ready to compare with. */
import path from 'node:path';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import { createDecontaminator, type Decontaminator, type EvaluationText } from './decontaminator.ts';
import { baxbenchTexts, cwevalTexts, jsonLinesTexts, suiteTexts } from './evaluationTexts.ts';

export interface EvaluationSources {
  /** Folder of the embedded suite. */
  readonly suiteDir: string;
  /** CWEVAL_HOME and BAXBENCH_HOME are read from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative paths of the recipe start here. */
  readonly baseDir: string;
}

const FIELD = 'dataset.decontaminate';

/**
 * `names` are those of `dataset.decontaminate`: "suite", "cweval", "baxbench", or paths of JSON Lines files.
 * @throws SecpiError EVALUATION_SET_MISSING where one cannot be read or holds nothing; SUITE_INVALID.
 */
export async function loadEvaluationTexts(
  names: readonly string[],
  sources: EvaluationSources,
): Promise<Decontaminator> {
  const loaded = await Promise.all(
    names.map(async (name, index) => {
      const texts = await textsOf(name, `${FIELD}[${index}]`, sources);
      if (texts.length === 0) throw missing(`"${name}" holds no evaluation text.`, `${FIELD}[${index}]`);
      return texts;
    }),
  );
  return createDecontaminator(loaded.flat());
}

async function textsOf(name: string, field: string, sources: EvaluationSources): Promise<EvaluationText[]> {
  const { suiteDir, environment, baseDir } = sources;
  const checkout = (variable: string): string => {
    const home = environment[variable];
    if (home === undefined || home === '')
      throw missing(`"${name}" needs ${variable}, which is not set.`, field);
    return home;
  };
  try {
    switch (name) {
      case 'suite':
        return await suiteTexts(suiteDir);
      case 'cweval':
        return await cwevalTexts(checkout('CWEVAL_HOME'));
      case 'baxbench':
        return await baxbenchTexts(checkout('BAXBENCH_HOME'));
      default:
        return await jsonLinesTexts(path.resolve(baseDir, name), field);
    }
  } catch (error) {
    if (error instanceof SecpiError) throw error;
    throw missing(`"${name}" cannot be read: ${messageOf(error)}.`, field, error);
  }
}

function missing(message: string, field: string, cause?: unknown): SecpiError {
  return new SecpiError('EVALUATION_SET_MISSING', message, { field, cause });
}
