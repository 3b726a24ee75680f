/** Which tests failed, by name, from BaxBench's log of a sample. Pure. */
import type { TestResults } from './testResults.ts';
import type { ExpectedTests } from './verdict.ts';

/**
 * The log repeats what the app printed, so an app can forge any line of it: names of functional tests are taken only
 * when as many failed as the results say, those of security tests only when a weakness was found.
 */
export function failedTestsIn(log: string, expected: ExpectedTests, results: TestResults): string[] {
  const said = new Map<string, string>();
  for (const [, name = '', outcome = ''] of log.matchAll(
    /^INFO \S+ \S+ (?:Functional|Security) test (\w+) (passed|failed)$/gm,
  ))
    said.set(name, outcome);
  const failed = (names: readonly string[]) => names.filter((name) => said.get(name) === 'failed');
  const functional = failed(expected.functionalTests);
  const security = failed(expected.securityTests);
  return [
    ...(functional.length === results.num_total_ft - results.num_passed_ft ? functional : []),
    ...(results.cwes.length > 0 ? security : []),
  ];
}
