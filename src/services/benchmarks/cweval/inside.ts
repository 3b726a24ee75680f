/** What of this machine each kind of sandbox is shown, and the environment that its programs get. Pure. */
import { dirname } from 'node:path';
import { TOOLCHAIN_INSIDE, type ReadOnlyBind } from '../../sandbox/index.ts';
import type { CwevalCheckout } from './checkout.ts';
import { outermost } from './python.ts';
import type { CwevalTools } from './tools.ts';

/** The checkout, or the part of it that is shown. */
export const CHECKOUT_INSIDE = '/checkout';
/** Programs that lie outside /usr, and those that stand before a compiler. */
const PROGRAMS_INSIDE = '/programs';
export const HEADERS_INSIDE = '/prepared/headers';
const GO_CACHE_INSIDE = '/prepared/go';
const GO_MODULES_INSIDE = '/go/modules';
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** What preparing made for one checkout and one set of tools; folders on the host. */
export interface Prepared {
  /** Upstream's headers, precompiled, and a `gcc` and `g++` that read them first; null where neither compiler is there. */
  readonly headers: string | null;
  /** A warm GOCACHE. */
  readonly goCache: string | null;
}

export interface Shown {
  readonly readOnly: readonly ReadOnlyBind[];
  readonly env: Readonly<Record<string, string>>;
}

const same = (host: string): ReadOnlyBind => ({ host, inside: host });
const isOutside = (path: string): boolean => !path.startsWith('/usr/');

/** The whole harness with tasks and references: for code of upstream alone, never for a sample. */
export function wholeCheckout({ home }: Pick<CwevalCheckout, 'home'>): ReadOnlyBind[] {
  return [{ host: home, inside: CHECKOUT_INSIDE }];
}

/** The harness and the Go modules, without tasks and references: a source could include them. */
export function checkoutToCompile(
  { home }: Pick<CwevalCheckout, 'home'>,
  hasGoModules: boolean,
): ReadOnlyBind[] {
  const names = ['cweval', ...(hasGoModules ? ['go.mod', 'go.sum'] : [])];
  return names.map((name) => ({ host: `${home}/${name}`, inside: `${CHECKOUT_INSIDE}/${name}` }));
}

export function pythonShown({ python, site }: CwevalTools): ReadOnlyBind[] {
  const packages = site === null ? [] : [{ host: site, inside: TOOLCHAIN_INSIDE.site }];
  return [...packages, ...(python?.folders ?? []).map(same)];
}

/** For tests and the programs that they start. */
export function toolsToTest(tools: CwevalTools): Shown {
  const { node, libraryPaths } = tools;
  const nodeBinds = node === null || !isOutside(node.path) ? [] : [program('node', node.path)];
  const nodePath = (node?.nodePath ?? []).filter(isOutside).map(same);
  return {
    readOnly: [...pythonShown(tools), ...nodeBinds, ...nodePath, ...libraryFolders(libraryPaths).map(same)],
    env: {
      PATH: `${PROGRAMS_INSIDE}:${SYSTEM_PATH}`,
      ...(node === null ? {} : { NODE_PATH: node.nodePath.join(':') }),
      ...libraryPaths,
    },
  };
}

/** For the compilers of a language. `prepared` null: to prepare. */
export function toolsToCompile(
  tools: CwevalTools,
  language: 'c' | 'cpp' | 'go',
  prepared: Prepared | null,
): Shown {
  const { go, gcc, gpp, libraryPaths } = tools;
  const compilers = outermost(
    [gcc, gpp].flatMap((tool) => (tool === null ? [] : [dirname(dirname(tool.path))])),
  );
  const readOnly = [...libraryFolders(libraryPaths), ...compilers].map(same);
  if (language === 'go') {
    const cache = prepared?.goCache ?? null;
    return {
      readOnly: [
        ...readOnly,
        ...goShown(tools),
        ...(cache === null ? [] : [{ host: cache, inside: GO_CACHE_INSIDE }]),
      ],
      env: {
        PATH: [...(go === null ? [] : [`${go.root}/bin`]), SYSTEM_PATH].join(':'),
        ...goEnvironment(tools),
        GOCACHE: cache === null ? '/work/go-cache' : GO_CACHE_INSIDE,
        ...libraryPaths,
      },
    };
  }
  const headers = prepared?.headers ?? null;
  return {
    readOnly: [...readOnly, ...(headers === null ? [] : [{ host: headers, inside: HEADERS_INSIDE }])],
    env: { PATH: headers === null ? SYSTEM_PATH : `${HEADERS_INSIDE}/bin:${SYSTEM_PATH}`, ...libraryPaths },
  };
}

/** For goimports, which looks for packages in the module cache. */
export function toolsToParse(tools: CwevalTools): Shown {
  const { go, goimports } = tools;
  const goimportsBind = goimports === null ? [] : [program('goimports', goimports.path)];
  return {
    readOnly: [...pythonShown(tools), ...goimportsBind, ...(go === null ? [] : goShown(tools))],
    env: {
      PATH: [PROGRAMS_INSIDE, ...(go === null ? [] : [`${go.root}/bin`]), SYSTEM_PATH].join(':'),
      ...goEnvironment(tools),
      GOCACHE: '/tmp/go-cache',
    },
  };
}

function goShown({ go }: CwevalTools): ReadOnlyBind[] {
  if (go === null) return [];
  const modules = go.modules === null ? [] : [{ host: go.modules, inside: GO_MODULES_INSIDE }];
  return [...(isOutside(go.root) ? [same(go.root)] : []), ...modules];
}

function goEnvironment({ go }: CwevalTools): Record<string, string> {
  if (go === null) return {};
  return {
    GOPATH: '/go',
    GOMODCACHE: GO_MODULES_INSIDE,
    GOPROXY: 'off',
    GOSUMDB: 'off',
    GOTOOLCHAIN: 'local',
  };
}

function program(name: string, host: string): ReadOnlyBind {
  return { host, inside: `${PROGRAMS_INSIDE}/${name}` };
}

function libraryFolders(paths: Readonly<Record<string, string>>): string[] {
  const folders = Object.values(paths).flatMap((value) => value.split(':'));
  return [...new Set(folders)].filter((folder) => folder.startsWith('/') && isOutside(folder));
}
