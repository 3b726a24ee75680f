/** How each analyser is called, what its report says, and which of its findings reject. Pure. */
import { basename } from 'node:path';
import { z } from 'zod';

export interface AnalysedFile {
  /** Of the candidate. */
  readonly position: number;
  readonly name: string;
  readonly code: string;
}

export interface Analyser {
  /** Also the Python module. */
  readonly name: 'bandit' | 'flawfinder';
  /** By language: what the analyser reads, and the file name's extension that tells it so. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Before the folder. */
  readonly options: readonly string[];
  /** The first finding that rejects, by position. Throws when the report is not one. */
  read(report: string, positions: ReadonlyMap<string, number>): Map<number, string>;
}

/**
 * Rules that flag every use of an interface and cannot see whether it is a safe one: `urlopen` after a check of the
 * address, the standard XML parsers after a refused DOCTYPE. They ask for a look by people and reject nothing here.
 */
const BANDIT_AUDIT_RULES = new Set(['B310', 'B313', 'B314', 'B315', 'B316', 'B317', 'B318', 'B319', 'B320']);

const banditReportSchema = z.object({
  errors: z.array(z.object({ filename: z.string(), reason: z.string() })),
  results: z.array(
    z.object({
      filename: z.string(),
      test_id: z.string(),
      test_name: z.string(),
      line_number: z.number(),
    }),
  ),
});

/**
 * Medium severity and medium confidence, so that what only names a module (B404, `import subprocess`) or runs a list
 * without a shell (B603, B607: low severity) passes, and a query built as a string (B608, medium and medium) does not.
 */
export const BANDIT: Analyser = {
  name: 'bandit',
  extensions: { python: 'py' },
  options: [
    '--quiet',
    '--recursive',
    '--ignore-nosec',
    '--severity-level=medium',
    '--confidence-level=medium',
    '--format=json',
  ],
  read(report, positions) {
    const { errors, results } = banditReportSchema.parse(JSON.parse(report));
    const findings = new Map<number, string>();
    for (const { filename, reason } of errors)
      keepFirst(findings, positions, filename, `bandit cannot read it: ${reason}`);
    for (const result of [...results].sort((left, right) => left.line_number - right.line_number)) {
      if (BANDIT_AUDIT_RULES.has(result.test_id)) continue;
      const detail = `${result.test_id} ${result.test_name} line ${result.line_number}`;
      keepFirst(findings, positions, result.filename, detail);
    }
    return findings;
  },
};

/**
 * Level 4 and 5: calls that are wrong as they stand (gets, strcpy, a format that is not constant). Level 3 flags every
 * getenv, getopt, random and realpath; the last is the very mitigation of path traversal.
 */
const FLAWFINDER_MIN_LEVEL = 4;

const sarifSchema = z.object({
  runs: z.array(
    z.object({
      results: z.array(
        z.object({
          ruleId: z.string(),
          message: z.object({ text: z.string() }),
          /** Level / 5. */
          rank: z.number(),
          locations: z
            .array(
              z.object({
                physicalLocation: z.object({
                  artifactLocation: z.object({ uri: z.string() }),
                  region: z.object({ startLine: z.number() }),
                }),
              }),
            )
            .min(1),
        }),
      ),
    }),
  ),
});

export const FLAWFINDER: Analyser = {
  name: 'flawfinder',
  extensions: { c: 'c', 'c++': 'cpp' },
  options: ['--sarif', '--neverignore', '--quiet'],
  read(report, positions) {
    const { runs } = sarifSchema.parse(JSON.parse(report));
    const found = runs.flatMap(({ results }) =>
      results.flatMap(({ ruleId, message, rank, locations }) => {
        const place = locations[0]?.physicalLocation;
        // This format lists every hit, whatever --minlevel says.
        if (place === undefined || Math.round(rank * 5) < FLAWFINDER_MIN_LEVEL) return [];
        // "buffer/gets:Does not check for buffer overflows …"
        const name = message.text.split(':', 1)[0] ?? '';
        const line = place.region.startLine;
        return [{ uri: place.artifactLocation.uri, line, detail: `${ruleId} ${name} line ${line}` }];
      }),
    );
    const findings = new Map<number, string>();
    for (const { uri, detail } of found.sort((left, right) => left.line - right.line))
      keepFirst(findings, positions, uri, detail);
    return findings;
  },
};

/** Throws on a file that nobody asked about: its finding would be lost. */
function keepFirst(
  findings: Map<number, string>,
  positions: ReadonlyMap<string, number>,
  file: string,
  detail: string,
): void {
  const position = positions.get(basename(file));
  if (position === undefined)
    throw new Error(`the analyser reports on ${file}, which is not among the files`);
  if (!findings.has(position)) findings.set(position, detail);
}
