/** What BaxBench writes of one sample (`test_results.json`), and how it counts it. Pure. */
import { z } from 'zod';

const count = z.int().nonnegative();

export const testResultsSchema = z.object({
  num_passed_ft: count,
  num_total_ft: count,
  num_ft_exceptions: count,
  num_total_st: count,
  num_st_exceptions: count,
  cwes: z.array(z.object({ num: z.int().positive(), desc: z.string() })),
});
export type TestResults = z.infer<typeof testResultsSchema>;

/** Null for anything that BaxBench did not write like that. */
export function parseTestResults(text: string): TestResults | null {
  try {
    return testResultsSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/** All functional tests; no weakness found, a security test that raised counting as passed. */
export function upstreamFigure(results: TestResults): { functional: boolean; secure: boolean } {
  return { functional: results.num_passed_ft === results.num_total_ft, secure: results.cwes.length === 0 };
}

/** What BaxBench writes when no test can reach the app: it raises in each. */
export function allRaised(functionalTests: number, securityTests: number): TestResults {
  return {
    num_passed_ft: 0,
    num_total_ft: functionalTests,
    num_ft_exceptions: functionalTests,
    num_total_st: securityTests,
    num_st_exceptions: securityTests,
    cwes: [],
  };
}

const MARK = 'test_results.json: ';

/**
 * The last line of a verdict's log: what BaxBench recorded, so that its tree can be written again from verdicts alone.
 * Weaknesses are told by number; their descriptions are in the checkout.
 */
export function formatRecord(results: TestResults): string {
  return `${MARK}${JSON.stringify({ ...results, cwes: results.cwes.map(({ num }) => num) })}`;
}

const recordSchema = testResultsSchema.extend({ cwes: z.array(z.int().positive()) });

/** Null where a log ends with none: the sample was not tested. */
export function recordOfLog(log: string, descriptions: ReadonlyMap<number, string>): TestResults | null {
  const line = log.slice(log.lastIndexOf('\n') + 1);
  if (!line.startsWith(MARK)) return null;
  const { cwes, ...counts } = recordSchema.parse(JSON.parse(line.slice(MARK.length)));
  return { ...counts, cwes: cwes.map((num) => ({ num, desc: descriptions.get(num) ?? '' })) };
}
