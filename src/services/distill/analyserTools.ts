/** How bandit and flawfinder are called, what their reports say, and which of their findings count. Pure. */
import { basename } from 'node:path';
import { z } from 'zod';
import type { AnalyserReport, Finding } from './callAnalyser.ts';

export interface Analyser {
  /** Also the Python module. */
  readonly name: 'bandit' | 'flawfinder';
  /** By language: what the analyser reads, and the file name's extension that tells it so. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Before the folder. */
  readonly options: readonly string[];
  /** The findings that count, of each file by line. Throws when the report is not one. */
  readonly read: (report: string, positions: ReadonlyMap<string, number>) => AnalyserReport;
}

/** The command line of an analyser that is a Python module, over the folder `code`. */
export function moduleCommand(
  pythonPath: string,
  { name, options }: Analyser,
  code: string,
): [string, ...string[]] {
  // -I: neither the folder nor the environment adds modules to what Python imports.
  return [pythonPath, '-I', '-X', 'utf8', '-m', name, ...options, code];
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
    const found = results
      .filter(({ test_id }) => !BANDIT_AUDIT_RULES.has(test_id))
      .map(({ filename, test_id, test_name, line_number }) => ({
        position: positionOf(positions, basename(filename)),
        rule: test_id,
        name: test_name,
        line: line_number,
      }));
    const unread = errors.map(({ filename, reason }): [number, string] => [
      positionOf(positions, basename(filename)),
      `bandit cannot read it: ${reason}`,
    ]);
    return { findings: byPosition(found), unread: new Map(unread) };
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
        const position = positionOf(positions, basename(place.artifactLocation.uri));
        // "buffer/gets:Does not check for buffer overflows …"
        const name = message.text.split(':', 1)[0] ?? '';
        return [{ position, rule: ruleId, name, line: place.region.startLine }];
      }),
    );
    return { findings: byPosition(found), unread: new Map() };
  },
};

/** Throws on a file that nobody asked about: its finding would be lost. */
export function positionOf(positions: ReadonlyMap<string, number>, file: string): number {
  const position = positions.get(file);
  if (position === undefined)
    throw new Error(`the analyser reports on ${file}, which is not among the files`);
  return position;
}

export interface FoundAt {
  readonly position: number;
  readonly rule: string;
  readonly name: string;
  /** Counts from 1; 0 where the analyser tells none. */
  readonly line: number;
}

/** Each file's findings by line. */
export function byPosition(found: readonly FoundAt[]): Map<number, readonly Finding[]> {
  const findings = new Map<number, Finding[]>();
  for (const { position, rule, name, line } of [...found].sort((left, right) => left.line - right.line)) {
    const detail = [rule, name, `line ${line}`].filter((part) => part !== '').join(' ');
    findings.set(position, [...(findings.get(position) ?? []), { rule, detail }]);
  }
  return findings;
}
