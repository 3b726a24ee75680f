/** cppcheck for C and C++: flow analysis of buffers, lifetimes and uninitialised values. */
import { basename } from 'node:path';
import { byPosition, positionOf } from '../../distill/analyserTools.ts';
import type { AnalyserReport } from '../../distill/callAnalyser.ts';
import { findProgram, limited, namedByExtension, outputOf, versionIn, type FindTool } from './tool.ts';

/** Of cppcheck's severities those that a fault has; style, performance, portability and information are not asked for. */
const COUNTED_SEVERITIES = new Set(['error', 'warning']);

/** Rules that tell that cppcheck could not make sense of the file. */
const UNREAD_RULES = new Set([
  'cppcheckError',
  'internalAstError',
  'internalError',
  'noValidConfiguration',
  'preprocessorErrorDirective',
  'syntaxError',
  'unknownMacro',
]);

export const findCppcheck: FindTool = async (host) => {
  const path = await findProgram(host, 'cppcheck');
  if (path === null)
    return {
      remedy:
        'Install cppcheck: `apt-get install cppcheck`, or `pip install cppcheck-py` for the Python of SECPI_PYTHON.',
    };
  const version = async () => await outputOf([path, '--version']);
  return {
    name: 'cppcheck',
    version: versionIn(await version()),
    fileName: namedByExtension({ c: 'c', 'c++': 'cpp' }),
    prepare: withoutForeignIncludes,
    caller: {
      name: 'cppcheck',
      // Without --inline-suppr, comments that would silence it count for nothing.
      command: (code) =>
        limited([path, '--quiet', '--xml', '--enable=warning', '--library=posix', '--max-configs=4', code]),
      environment: {},
      reportFrom: 'stderr',
      read: readCppcheckReport,
      stillThere: async () => void (await version()),
    },
    baseTimeoutMs: 20_000,
  };
};

/**
 * cppcheck would follow an absolute path, or one that climbs, into the worker's own files, and read /dev/zero to its time
 * limit. Lines stay as they are numbered. An include that hides behind a macro is left to that limit.
 */
export function withoutForeignIncludes(code: string): string {
  return code.replaceAll(
    /^(\s*#\s*include\s*)(?:"(?:\/|[^"\n]*\.\.)[^"\n]*"|<(?:\/|[^>\n]*\.\.)[^>\n]*>)/gm,
    '$1"left-out.h"',
  );
}

/** `--xml` of cppcheck from 2.0 on. Throws on what is none. */
export function readCppcheckReport(report: string, positions: ReadonlyMap<string, number>): AnalyserReport {
  if (!report.includes('</results>')) throw new Error('its report is cut off');
  const errors = [...report.matchAll(/<error ([^>]*)>(?:\s*<location ([^>]*)\/>)?/g)].flatMap(
    ([, error = '', location = '']) => {
      const rule = attribute(error, 'id');
      // The file that was asked about, where the place lies in a header.
      const file = attribute(error, 'file0') ?? attribute(location, 'file');
      if (rule === null || file === null) return [];
      const severity = attribute(error, 'severity') ?? '';
      const line = Number(attribute(location, 'line') ?? 0);
      return [{ position: positionOf(positions, basename(file)), rule, name: '', line, severity }];
    },
  );
  const isUnread = ({ rule }: { rule: string }) => UNREAD_RULES.has(rule);
  const counted = errors.filter((error) => !isUnread(error) && COUNTED_SEVERITIES.has(error.severity));
  const unread = errors
    .filter(isUnread)
    .map(({ position, rule }): [number, string] => [position, `cppcheck cannot read it: ${rule}`]);
  return { findings: byPosition(counted), unread: new Map(unread) };
}

/** cppcheck escapes quotes and angle brackets in its attributes. */
function attribute(text: string, name: string): string | null {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1] ?? null;
}
