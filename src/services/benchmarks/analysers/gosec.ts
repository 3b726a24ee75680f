/** gosec for Go. Each sample is a package of its own in one module, since two programs cannot share a package. */
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { byPosition, positionOf } from '../../distill/analyserTools.ts';
import type { AnalyserReport } from '../../distill/callAnalyser.ts';
import { findProgram, limited, outputOf, type FindTool } from './tool.ts';

const MODULE = 'module samples\n\ngo 1.21\n';
const GIB = 1024 ** 3;

const reportSchema = z.object({
  'Golang errors': z.record(z.string(), z.array(z.object({ error: z.string() }))),
  Issues: z.array(z.object({ rule_id: z.string(), file: z.string(), line: z.string() })).nullable(),
  Stats: z.object({ files: z.number() }),
});

export const findGosec: FindTool = async (host) => {
  const { environment, cacheDir } = host;
  const home = environment['HOME'];
  const goBin = environment['GOBIN'] ?? (home === undefined ? null : join(home, 'go', 'bin'));
  const path = await findProgram(host, 'gosec', goBin === null ? [] : [goBin]);
  const go = await findProgram(host, 'go', ['/usr/local/go/bin']);
  if (path === null || go === null)
    return {
      remedy: `Install ${go === null ? 'Go, and ' : ''}gosec: \`go install github.com/securego/gosec/v2/cmd/gosec@v2.22.9\`, with its folder on PATH.`,
    };
  // One that Go itself installed calls itself "dev", but the binary carries its module's version.
  const built = await outputOf([go, 'version', '-m', path], { HOME: cacheDir });
  return {
    name: 'gosec',
    version: /github\.com\/securego\/gosec\/v2\s+v(\S+)/.exec(built)?.[1] ?? 'of unknown version',
    fileName: (position, language) => (language === 'go' ? `${position}/main.go` : null),
    caller: {
      name: 'gosec',
      command: () =>
        // Go reserves address space that it never touches.
        limited(
          [path, '-no-fail', '-nosec', '-severity=medium', '-confidence=medium', '-fmt=json', './...'],
          16 * GIB,
        ),
      environment: {
        PATH: `${dirname(go)}:/usr/bin:/bin`,
        HOME: cacheDir,
        GOCACHE: join(cacheDir, 'analysers', 'go-build'),
        GOPATH: join(cacheDir, 'analysers', 'go'),
        // Nothing is fetched, and no line of the code reaches a C compiler.
        GOPROXY: 'off',
        GOTOOLCHAIN: 'local',
        GOFLAGS: '-mod=mod',
        GOWORK: 'off',
        CGO_ENABLED: '0',
      },
      reportFrom: 'stdout',
      read: readGosecReport,
      extraFiles: { 'go.mod': MODULE },
      stillThere: async () => void (await outputOf([path, '-version'])),
    },
    // The first call compiles the packages of the standard library that the samples use.
    baseTimeoutMs: 240_000,
  };
};

/** Throws on what is no report, and when files are missing in it. */
export function readGosecReport(report: string, positions: ReadonlyMap<string, number>): AnalyserReport {
  const { 'Golang errors': errors, Issues: issues, Stats: stats } = reportSchema.parse(JSON.parse(report));
  // It passes over files that a build constraint or cgo excludes, and does not say which.
  if (stats.files < positions.size) throw new Error(`it read ${stats.files} of ${positions.size} files`);
  const positionIn = (file: string) => positionOf(positions, join(basename(dirname(file)), basename(file)));
  const found = (issues ?? []).map(({ rule_id: rule, file, line }) => ({
    position: positionIn(file),
    rule,
    name: '',
    // "12" or "12-14".
    line: Number.parseInt(line, 10),
  }));
  const unread = Object.entries(errors).flatMap(([file, all]): [number, string][] => {
    // Modules are not fetched: what uses one is judged without its types. Errors without a file repeat those with one.
    const first = all.find(({ error }) => !error.startsWith('could not import '));
    if (file === '' || first === undefined) return [];
    return [[positionIn(file), `gosec cannot read it: ${first.error}`]];
  });
  return { findings: byPosition(found), unread: new Map(unread) };
}
